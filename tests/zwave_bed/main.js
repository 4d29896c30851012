/**
 * Starts the bed. The first line on stdin is the configuration as JSON; the end of stdin ends the
 * process, so that a killed test run leaves nothing behind.
 */
import { createInterface } from "node:readline";
import { openControlPort } from "./control.js";
import { Network } from "./network.js";

const lines = createInterface({ input: process.stdin });
let network;

async function shutdown() {
  await network?.stop();
  process.exit(0);
}

lines.on("close", shutdown);
// Ctrl-C reaches everybody in the terminal; who started the bed ends it, and the cache folder goes with it.
process.on("SIGINT", () => {});
lines.once("line", async (line) => {
  network = new Network(JSON.parse(line));
  await network.start();
  const control = await openControlPort(network, shutdown);
  const ready = { ready: true, ws: `ws://127.0.0.1:${network.port}`, control: `http://127.0.0.1:${control}` };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
