/**
 * What a lock holds and how it takes commands, apart from the radio.
 * It outlives a restart of the driver, as the real thing on the door does.
 */
import { UserIDStatus } from "@zwave-js/cc";
import { MODELS } from "./models.js";

const NO_FAULTS = Object.freeze({
  dead: false,
  swallowSets: 0,
  loseAnswers: 0,
  refuseSets: 0,
  answerDelayMs: 0,
  silentGets: 0,
  falseAvailableGets: 0,
});
const KINDS = ["get", "set", "clear", "checksum", "ping", "security", "other"];

export class Lock {
  constructor(config) {
    if (!(config.model in MODELS)) throw new Error(`unknown lock model ${config.model}`);
    this.nodeId = config.node_id;
    this.config = config;
    this.model = MODELS[config.model];
    this.slotCount = config.slots ?? this.model.slots;
    /** Map that the mock node's own behaviours read and write; the keys are theirs. */
    this.state = new Map();
    this.setIdentity(config);
    this.battery = 90;
    this.reset();
    // Codes that stood in the lock before it met the driver.
    for (const [slot, code] of Object.entries(config.codes ?? {})) {
      this.write(Number(slot), UserIDStatus.Enabled, code);
    }
  }

  /** Back to an empty, healthy lock with its counters at zero. */
  reset() {
    this.clearAll();
    this.refuseDuplicates = this.config.refuse_duplicates ?? true;
    this.clearFaults();
    this.resetCounters();
  }

  setIdentity({ ids, serial }) {
    this.ids = ids ?? this.model.ids;
    this.serial = serial ?? null;
  }

  /** True when another lock stands in for the configured one. */
  get replaced() {
    const configured = [this.config.ids ?? this.model.ids, this.config.serial ?? null];
    return JSON.stringify([this.ids, this.serial]) !== JSON.stringify(configured);
  }

  setFaults(faults) {
    for (const [key, value] of Object.entries(faults)) {
      const name = key.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
      if (!(name in NO_FAULTS)) throw new Error(`unknown fault ${key}`);
      // null stands for "until cleared": JSON has no infinity.
      this.faults[name] = value ?? Number.POSITIVE_INFINITY;
    }
  }

  clearFaults() {
    this.faults = { ...NO_FAULTS };
  }

  /** Uses up one of a counted fault; true when it applies to this command. */
  take(fault) {
    if (this.faults[fault] <= 0) return false;
    this.faults[fault] -= 1;
    return true;
  }

  resetCounters() {
    this.counters = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  }

  count(kind) {
    this.counters[kind] += 1;
  }

  slot(number) {
    return {
      status: this.state.get(`UserCode_userIdStatus_${number}`) ?? UserIDStatus.Available,
      code: this.state.get(`UserCode_userCode_${number}`) ?? "",
    };
  }

  /** The taken slots as [{slot, status, code}], lowest first: the truth, whatever the model shows. */
  slots() {
    const numbers = Array.from({ length: this.slotCount }, (_, index) => index + 1);
    return numbers
      .map((slot) => ({ slot, ...this.slot(slot) }))
      .filter(({ status }) => status !== UserIDStatus.Available);
  }

  write(number, status, code) {
    const empty = status === UserIDStatus.Available;
    this.state.set(`UserCode_userIdStatus_${number}`, status);
    this.state.set(`UserCode_userCode_${number}`, empty ? undefined : String(code));
  }

  clearAll() {
    for (let slot = 1; slot <= this.slotCount; slot++) this.write(slot, UserIDStatus.Available);
  }

  holds(number) {
    return Number.isInteger(number) && number >= 1 && number <= this.slotCount;
  }

  isDuplicate(number, code) {
    return this.slots().some(({ slot, code: other }) => slot !== number && other === code);
  }
}
