/** The control port: one POST per action, JSON in and out, loopback only. */
import { once } from "node:events";
import { createServer } from "node:http";

/** Actions by path. Each gets the network and the request's body; what it returns is the answer. */
const ACTIONS = {
  slots: ({ lock }) => lock.slots(),
  schedules: ({ lock, slot }) => lock.schedules(slot),
  put_schedule: ({ lock, slot, index, kind, schedule }) => lock.putSchedule(slot, index, kind, schedule ?? undefined),
  clock: ({ lock }) => lock.clock().toISOString(),
  edit: ({ keypad, slot, code, report }) => keypad.edit(slot, code, report),
  clear: ({ keypad, slot, report }) => keypad.clear(slot, report),
  clear_all: ({ keypad, report }) => keypad.clearAll(report),
  unlock: ({ keypad, slot }) => keypad.unlock(slot),
  wrong_code: ({ keypad }) => keypad.wrongCode(),
  send_report: ({ keypad, slot, status, code }) => keypad.sendReport(slot, status, code),
  send_notification: ({ keypad, event, parameters }) => keypad.sendNotification(event, parameters),
  keypad_mode: ({ keypad, mode }) => keypad.switchMode(mode),
  send_alarm: ({ keypad, type, level }) => keypad.sendAlarm(type, level),
  battery: ({ lock, keypad, level }) => {
    lock.battery = level;
    return keypad.reportBattery();
  },
  refuse_duplicates: ({ lock, on }) => {
    lock.refuseDuplicates = on;
  },
  faults: ({ lock, faults }) => lock.setFaults(faults),
  clear_faults: ({ lock }) => lock.clearFaults(),
  alive: ({ lock, keypad }) => {
    lock.faults.dead = false;
    return keypad.reportBattery();
  },
  counters: ({ lock }) => lock.counters,
  stored: ({ lock }) => lock.stored,
  reset_counters: ({ lock }) => lock.resetCounters(),
  reset: ({ network }) => network.reset(),
  replace: ({ network, node_id, ids, serial }) => network.replace(node_id, { ids, serial }),
  restart_server: ({ network }) => network.restartServer(),
  restart_driver: ({ network, keep_cache }) => network.restartDriver({ keepCache: keep_cache }),
  shutdown: ({ shutdown }) => {
    setImmediate(shutdown);
  },
};

/** Opens the control port; returns its number. */
export async function openControlPort(network, shutdown) {
  const server = createServer(async (request, response) => {
    try {
      const body = JSON.parse((await text(request)) || "{}");
      const answer = await act(request.url.slice(1), body, network, shutdown);
      reply(response, 200, { result: answer ?? null });
    } catch (error) {
      reply(response, 400, { error: error.message });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

function act(name, body, network, shutdown) {
  if (!Object.hasOwn(ACTIONS, name)) throw new Error(`unknown action ${name}`);
  const lock = network.locks.get(body.node_id);
  if ("node_id" in body && lock === undefined) throw new Error(`unknown node ${body.node_id}`);
  const keypad = network.keypads.get(body.node_id);
  return ACTIONS[name]({ ...body, network, lock, keypad, shutdown });
}

async function text(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

function reply(response, status, body) {
  const content = Buffer.from(JSON.stringify(body));
  // The client reads to the end of the connection: a length keeps node from sending chunks.
  response.writeHead(status, { "content-type": "application/json", "content-length": content.length });
  response.end(content);
}
