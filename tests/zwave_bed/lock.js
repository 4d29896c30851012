/**
 * What a lock holds and how it takes commands, apart from the radio.
 * It outlives a restart of the driver, as the real thing on the door does.
 */
import { ScheduleEntryLockScheduleKind, ScheduleEntryLockSetAction, UserIDStatus } from "@zwave-js/cc";
import { ScheduleEntryLockCCYearDayScheduleSet } from "@zwave-js/cc/ScheduleEntryLockCC";
import { MODELS } from "./models.js";

const NO_FAULTS = Object.freeze({
  dead: false,
  swallowSets: 0,
  loseAnswers: 0,
  refuseSets: 0,
  answerDelayMs: 0,
  silentGets: 0,
  falseAvailableGets: 0,
  refuseSchedules: 0,
  swallowSchedules: 0,
  loseScheduleAnswers: 0,
  silentScheduleGets: 0,
  deafClock: 0,
  silentClock: 0,
});
const KINDS = [
  ...["get", "set", "clear", "checksum", "ping", "security", "other"],
  ...["schedule_set", "schedule_erase", "schedule_get", "clock"],
];
/** Keys of the mock's own behaviours for Schedule Entry Lock. */
const scheduleKey = (slot, index, kind) => `ScheduleEntryLock_schedule_${slot}_${index}_${kind}`;
const SCHEDULE_FIELDS = {
  [ScheduleEntryLockScheduleKind.YearDay]: ["Year", "Month", "Day", "Hour", "Minute"].flatMap((part) => [
    `start${part}`,
    `stop${part}`,
  ]),
  [ScheduleEntryLockScheduleKind.DailyRepeating]: [
    ...["weekdays", "startHour", "startMinute", "durationHour", "durationMinute"],
  ],
};

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
    this.state.delete("UserCode_keypadMode");
    for (const key of this.state.keys()) if (key.startsWith("ScheduleEntryLock_")) this.state.delete(key);
    /** Two years behind, as after a change of batteries. */
    this.setClock(new Date(Date.now() - 2 * 365 * 86_400_000));
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
    /** How often each code was stored by a command, whichever slot it was for. */
    this.stored = {};
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

  /** The bytes of a clock that was set are kept as if they were UTC, and go on from there. */
  setClock(face) {
    this.faceSet = { face: face.getTime(), at: Date.now() };
  }

  clock() {
    return new Date(this.faceSet.face + Date.now() - this.faceSet.at);
  }

  /** As the mock's own behaviour does it, for a lock that stores and does not answer. */
  storeSchedule(cc) {
    const { YearDay, DailyRepeating } = ScheduleEntryLockScheduleKind;
    const kind = cc instanceof ScheduleEntryLockCCYearDayScheduleSet ? YearDay : DailyRepeating;
    const erased = cc.action === ScheduleEntryLockSetAction.Erase;
    const schedule = Object.fromEntries(SCHEDULE_FIELDS[kind].map((name) => [name, cc[name]]));
    this.putSchedule(cc.userId, cc.slotId, kind, erased ? undefined : schedule);
  }

  putSchedule(slot, index, kind, schedule) {
    this.state.set(scheduleKey(slot, index, kind), schedule);
  }

  /** The schedules of a slot: the truth, by kind and number. */
  schedules(slot) {
    const { YearDay, DailyRepeating } = ScheduleEntryLockScheduleKind;
    return { year_day: this.#schedulesOf(slot, YearDay), daily: this.#schedulesOf(slot, DailyRepeating) };
  }

  #schedulesOf(slot, kind) {
    const numbers = Array.from({ length: 7 }, (_, index) => index + 1);
    return Object.fromEntries(
      numbers
        .map((index) => [index, this.state.get(scheduleKey(slot, index, kind))])
        .filter(([, schedule]) => schedule !== undefined),
    );
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
