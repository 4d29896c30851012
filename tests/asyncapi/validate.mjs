// Checks an AsyncAPI document, and messages against it.
//
//   node validate.mjs DOCUMENT             prints what the official parser finds, as a JSON list of texts
//   node validate.mjs DOCUMENT --messages  reads [{"topic": …, "payload": …}, …] and prints, in their order, a list
//                                          of lists: what each has that the document does not say
//
// Messages are taken strictly: fields that the document does not name are findings, although it lets clients expect
// them. Findings name places and rules, never values, which may be PINs.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const [path, mode] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');

async function diagnose() {
  const { document, diagnostics } = await new Parser().parse(text);
  const levels = ['error', 'warning', 'information', 'hint'];
  const found = diagnostics.map((one) => `${levels[one.severity]}: ${one.path.join('.')}: ${one.message}`);
  return document === undefined && found.length === 0 ? ['error: not a document'] : found;
}

/** Forbids fields without a name, in every object that names some. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const names = schema.type === 'object' && schema.properties && schema.additionalProperties === undefined;
  return names ? { ...copy, additionalProperties: false } : copy;
}

/** The channels as regular expressions over topics, each with what checks its messages. */
function channels() {
  const document = closed(JSON.parse(text));
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ $id: 'document', components: document.components });
  const check = (name) => ajv.compile({ $ref: `document#/components/messages/${name}/payload` });
  return Object.values(document.channels).map(({ address, messages }) => ({
    topic: new RegExp(`^${address.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    checks: Object.keys(messages).map(check),
  }));
}

function findings({ topic, payload }, known) {
  const fitting = known.filter((channel) => channel.topic.test(topic));
  if (fitting.length !== 1) return [`${fitting.length} channels have the topic ${topic}`];
  const found = fitting[0].checks.map((check) =>
    check(payload) ? [] : check.errors.map((one) => `${one.instancePath} ${one.message} ${one.params.additionalProperty ?? ''}`),
  );
  if (found.filter((one) => one.length === 0).length > 1) return ['fits more than one message'];
  return found.reduce((best, one) => (one.length < best.length ? one : best));
}

if (mode === '--messages') {
  const known = channels();
  const messages = JSON.parse(readFileSync(0, 'utf8'));
  console.log(JSON.stringify(messages.map((message) => findings(message, known))));
} else {
  console.log(JSON.stringify(await diagnose()));
}
