/** The real driver and the real websocket server over a simulated controller. */
import { UserCodeCCValues, UserIDStatus } from "@zwave-js/cc";
import { SecurityClass } from "@zwave-js/core";
import { ZwavejsServer } from "@zwave-js/server";
import { MockController } from "@zwave-js/testing";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeStatus } from "zwave-js";
import { createAndStartDriverWithMockPort, createDefaultMockControllerBehaviors } from "zwave-js/Testing";
import { Lock } from "./lock.js";
import { putOnAir } from "./radio.js";

const HOST = "127.0.0.1";
const CLOSE_TIMEOUT_MS = 1000;
/** Three attempts to reach a lock that was dead take about 4 s. */
const IDLE_TIMEOUT_MS = 20_000;
const HOME_ID = 0x7e570001;
const CLASSES = ["S2_AccessControl", "S2_Authenticated", "S2_Unauthenticated", "S0_Legacy"];
/** Network keys of a network that exists only here. */
const KEYS = Object.fromEntries(CLASSES.map((name, index) => [name, new Uint8Array(16).fill(index + 1)]));
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

export class Network {
  constructor(config) {
    this.config = config;
    this.locks = new Map(config.nodes.map((node) => [node.node_id, new Lock(node)]));
    this.keypads = new Map();
  }

  async start() {
    this.cacheDir = await mkdtemp(join(tmpdir(), "pinsmith-zwave-bed-"));
    this.port = this.config.port || (await freePort());
    await this.startDriver();
    await this.openServer();
  }

  async startDriver() {
    const { driver, mockPort, serial, continueStartup } = await createAndStartDriverWithMockPort({
      logConfig: { enabled: false },
      storage: { cacheDir: this.cacheDir },
      securityKeys: KEYS,
      features: { softReset: false },
      interview: { queryAllUserCodes: this.config.query_all_user_codes ?? true },
      testingHooks: { skipFirmwareIdentification: true },
    });
    this.driver = driver;
    driver.on("error", (error) => console.error(error.message));
    this.controller = await MockController.create({ homeId: HOME_ID, mockPort, serial, securityKeys: KEYS });
    this.controller.defineBehavior(...createDefaultMockControllerBehaviors());
    for (const lock of this.locks.values()) {
      this.keypads.set(lock.nodeId, await putOnAir(this.controller, lock));
    }
    driver.once("driver ready", () => this.#describeNodes());
    const ready = once(driver, "all nodes ready");
    continueStartup();
    await ready;
  }

  /** What inclusion would have left behind: the granted security class, and the operator's names. */
  #describeNodes() {
    for (const [nodeId, lock] of this.locks) {
      const node = this.driver.controller.nodes.getOrThrow(nodeId);
      const granted = { S2: "S2_AccessControl", S0: "S0_Legacy" }[lock.model.security];
      for (const name of CLASSES) node.securityClasses.set(SecurityClass[name], name === granted);
      node.name = lock.config.name;
      node.location = lock.config.location;
    }
  }

  async openServer() {
    this.server = new ZwavejsServer(this.driver, { host: HOST, port: this.port, logger: QUIET });
    await this.server.start();
  }

  async closeServer() {
    const clients = [...(this.server?.wsServer.clients ?? [])];
    // A client that does not answer the closing handshake would hold it up for 30 s.
    const impatience = setTimeout(() => clients.forEach((client) => client.terminate()), CLOSE_TIMEOUT_MS);
    await this.server?.destroy();
    clearTimeout(impatience);
    this.server = undefined;
  }

  async restartServer() {
    await this.closeServer();
    await this.openServer();
  }

  /** Restarts driver and server; the driver's cache is kept, or lost as when a stick moves to a new hub. */
  async restartDriver({ keepCache }) {
    await this.closeServer();
    await this.stopDriver();
    if (!keepCache) await rm(this.cacheDir, { recursive: true, force: true });
    await this.startDriver();
    await this.openServer();
  }

  /** Every lock empty, healthy and uncounted, and the driver idle, with a cache that agrees. */
  async reset() {
    for (const lock of this.locks.values()) {
      lock.reset();
      this.driver.controller.nodes.getOrThrow(lock.nodeId).cancelAllScheduledPolls();
    }
    await this.driver.waitForIdle(IDLE_TIMEOUT_MS);
    for (const lock of this.locks.values()) {
      // Commands that were still under way have been carried out by now.
      lock.reset();
      if (lock.replaced) await this.replace(lock.nodeId, lock.config);
      const node = this.driver.controller.nodes.getOrThrow(lock.nodeId);
      if (node.status === NodeStatus.Dead) await this.keypads.get(lock.nodeId).reportBattery();
      if (lock.model.userCode) forgetCodes(node, lock.slotCount);
      lock.resetCounters();
    }
  }

  /** Another lock answers on a known node id, found out by a new interview. */
  async replace(nodeId, identity) {
    const lock = this.locks.get(nodeId);
    lock.setIdentity(identity);
    lock.clearAll();
    const node = this.driver.controller.nodes.getOrThrow(nodeId);
    const ready = once(node, "ready");
    await node.refreshInfo();
    await ready;
  }

  async stopDriver() {
    await this.driver?.destroy();
    this.controller?.destroy();
  }

  async stop() {
    await this.closeServer();
    await this.stopDriver();
    await rm(this.cacheDir, { recursive: true, force: true });
  }
}

function forgetCodes(node, slotCount) {
  for (let slot = 1; slot <= slotCount; slot++) {
    node.valueDB.setValue(UserCodeCCValues.userIdStatus(slot).id, UserIDStatus.Available, { noEvent: true });
    node.valueDB.setValue(UserCodeCCValues.userCode(slot).id, "", { noEvent: true });
  }
}

/** The server takes port 0 for its default port, so a free one is found first. */
async function freePort() {
  const probe = createServer().listen(0, HOST);
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
