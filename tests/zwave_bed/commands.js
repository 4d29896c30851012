/** How the simulated locks answer the commands that reach them, faults included. */
import { BatteryCCGet, BatteryCCReport, DeviceIdType, ScheduleEntryLockSetAction, UserIDStatus } from "@zwave-js/cc";
import {
  ManufacturerSpecificCCDeviceSpecificGet,
  ManufacturerSpecificCCDeviceSpecificReport,
  ManufacturerSpecificCCGet,
  ManufacturerSpecificCCReport,
} from "@zwave-js/cc/ManufacturerSpecificCC";
import { NotificationCCGet, NotificationCCReport } from "@zwave-js/cc/NotificationCC";
import {
  ScheduleEntryLockCCDailyRepeatingScheduleGet,
  ScheduleEntryLockCCDailyRepeatingScheduleSet,
  ScheduleEntryLockCCYearDayScheduleGet,
  ScheduleEntryLockCCYearDayScheduleSet,
} from "@zwave-js/cc/ScheduleEntryLockCC";
import { TimeParametersCCGet, TimeParametersCCReport, TimeParametersCCSet } from "@zwave-js/cc/TimeParametersCC";
import {
  UserCodeCCExtendedUserCodeSet,
  UserCodeCCGet,
  UserCodeCCReport,
  UserCodeCCSet,
  UserCodeCCUserCodeChecksumGet,
} from "@zwave-js/cc/UserCodeCC";
import { CommandClasses } from "@zwave-js/core";
import { setTimeout as wait } from "node:timers/promises";

const MASK = "*".repeat(10);
/** The driver drops a report of a taken slot with fewer than four bytes of code, and trims zero bytes. */
const ZEROS = "\0".repeat(4);
const SECURITY = [CommandClasses.Security, CommandClasses["Security 2"]];

/** Schedules are dealt with first: what else comes by Schedule Entry Lock is the time zone of the clock. */
const CLOCK = [CommandClasses["Time Parameters"], CommandClasses["Schedule Entry Lock"]];

export function isScheduleSet(cc) {
  return (
    cc instanceof ScheduleEntryLockCCYearDayScheduleSet || cc instanceof ScheduleEntryLockCCDailyRepeatingScheduleSet
  );
}

function isScheduleGet(cc) {
  return (
    cc instanceof ScheduleEntryLockCCYearDayScheduleGet || cc instanceof ScheduleEntryLockCCDailyRepeatingScheduleGet
  );
}

/** The command inside its encapsulations (security, supervision). */
export function innermost(cc) {
  while (cc.encapsulated) cc = cc.encapsulated;
  return cc;
}

export function isSupervised(cc) {
  for (; cc; cc = cc.encapsulated) if (cc.ccId === CommandClasses.Supervision) return true;
  return false;
}

export function isWrite(cc) {
  return cc instanceof UserCodeCCSet || cc instanceof UserCodeCCExtendedUserCodeSet;
}

/** What a command counts as in the lock's counters. */
export function kindOf(cc) {
  if (isWrite(cc)) return entriesOf(cc).every(isEmptying) ? "clear" : "set";
  if (cc instanceof UserCodeCCGet) return "get";
  if (cc instanceof UserCodeCCUserCodeChecksumGet) return "checksum";
  if (isScheduleSet(cc)) return cc.action === ScheduleEntryLockSetAction.Erase ? "schedule_erase" : "schedule_set";
  if (isScheduleGet(cc)) return "schedule_get";
  if (CLOCK.includes(cc.ccId)) return "clock";
  if (cc.ccId === CommandClasses["No Operation"]) return "ping";
  return SECURITY.includes(cc.ccId) ? "security" : "other";
}

/**
 * The behaviour that is asked before the mock's own ones. Returning undefined leaves the command to
 * those: they announce capabilities, compute the checksum, keep schedules and handle security.
 */
export function lockBehavior(lock, afterAnswer) {
  return {
    async handleCC(controller, node, cc) {
      if (cc.isEncapsulatedWith(CommandClasses.Security)) lock.count(kindOf(cc));
      const answer = answerTo(lock, controller.ownNodeId, cc, afterAnswer);
      const isUserCode = cc.ccId === CommandClasses["User Code"];
      if (isUserCode && lock.faults.answerDelayMs > 0) await wait(lock.faults.answerDelayMs);
      return answer;
    },
  };
}

function answerTo(lock, nodeId, cc, afterAnswer) {
  if (isWrite(cc)) return write(lock, entriesOf(cc), afterAnswer);
  if (cc instanceof UserCodeCCGet) return read(lock, nodeId, cc.userId);
  if (isScheduleSet(cc)) return setSchedule(lock, cc);
  if (isScheduleGet(cc)) return lock.take("silentScheduleGets") ? { action: "stop" } : undefined;
  if (cc instanceof TimeParametersCCSet) {
    // The bytes as they came: whether they are local time, the lock knows as little as this.
    if (!lock.take("deafClock")) lock.setClock(cc.dateAndTime);
    return { action: "ok" };
  }
  if (cc instanceof TimeParametersCCGet) return lock.take("silentClock") ? { action: "stop" } : send(face(lock, nodeId));
  if (cc instanceof NotificationCCGet) {
    return send(new NotificationCCReport({ nodeId, notificationType: cc.notificationType, notificationEvent: 0 }));
  }
  if (cc instanceof BatteryCCGet) return send(new BatteryCCReport({ nodeId, level: lock.battery }));
  if (cc instanceof ManufacturerSpecificCCGet) {
    const [manufacturerId, productType, productId] = lock.ids;
    return send(new ManufacturerSpecificCCReport({ nodeId, manufacturerId, productType, productId }));
  }
  if (cc instanceof ManufacturerSpecificCCDeviceSpecificGet) {
    if (lock.serial === null) return { action: "stop" };
    const type = DeviceIdType.SerialNumber;
    return send(new ManufacturerSpecificCCDeviceSpecificReport({ nodeId, type, deviceId: lock.serial }));
  }
  return undefined;
}

function send(cc) {
  return { action: "sendCC", cc };
}

function entriesOf(cc) {
  if (cc instanceof UserCodeCCExtendedUserCodeSet) return cc.userCodes;
  return [{ userId: cc.userId, userIdStatus: cc.userIdStatus, userCode: cc.userCode }];
}

function isEmptying({ userIdStatus }) {
  return userIdStatus === UserIDStatus.Available;
}

function write(lock, entries, afterAnswer) {
  if (lock.take("refuseSets")) return { action: "fail" };
  if (lock.take("swallowSets")) return { action: "ok" };
  for (const entry of entries) {
    if (!store(lock, entry, afterAnswer)) return { action: "fail" };
  }
  // Only supervised locks get here with answers to lose: for the others the lost answer is the
  // radio acknowledgement, which radio.js withholds.
  if (lock.model.supervision && lock.take("loseAnswers")) return { action: "stop" };
  return { action: "ok" };
}

function store(lock, { userId, userIdStatus, userCode }, afterAnswer) {
  if (userId === 0 && userIdStatus === UserIDStatus.Available) {
    lock.clearAll();
    return true;
  }
  if (!lock.holds(userId)) return false;
  const taken = userIdStatus !== UserIDStatus.Available;
  if (taken && lock.refuseDuplicates && lock.isDuplicate(userId, String(userCode))) {
    afterAnswer((keypad) => keypad.announceDuplicate(userId));
    return false;
  }
  lock.write(userId, userIdStatus, userCode);
  if (taken) lock.stored[userCode] = (lock.stored[userCode] ?? 0) + 1;
  return true;
}

/** The mock's own behaviour stores what is neither refused nor swallowed. */
function setSchedule(lock, cc) {
  if (lock.take("refuseSchedules")) return { action: "fail" };
  if (lock.take("swallowSchedules")) return { action: "ok" };
  if (!lock.model.supervision || !lock.take("loseScheduleAnswers")) return undefined;
  lock.storeSchedule(cc);
  return { action: "stop" };
}

/** The report of the clock; the driver can only read it, so its bytes are written here. */
function face(lock, nodeId) {
  const dateAndTime = lock.clock();
  const report = new TimeParametersCCReport({ nodeId, dateAndTime });
  const year = dateAndTime.getUTCFullYear();
  report.payload = Uint8Array.from([
    ...[year >> 8, year & 0xff],
    dateAndTime.getUTCMonth() + 1,
    dateAndTime.getUTCDate(),
    dateAndTime.getUTCHours(),
    dateAndTime.getUTCMinutes(),
    dateAndTime.getUTCSeconds(),
  ]);
  return report;
}

function read(lock, nodeId, userId) {
  if (lock.take("silentGets")) return { action: "stop" };
  return send(new UserCodeCCReport({ nodeId, userId, ...shown(lock, userId) }));
}

/** A slot as the lock shows it over the air, which may differ from what it holds. */
export function shown(lock, userId) {
  if (!lock.holds(userId)) return { userIdStatus: UserIDStatus.StatusNotAvailable };
  const { status, code } = lock.slot(userId);
  const hidden = lock.model.reads === "hidden" || lock.take("falseAvailableGets");
  if (hidden || status === UserIDStatus.Available) return { userIdStatus: UserIDStatus.Available };
  const digits = { digits: code, masked: MASK, withheld: ZEROS }[lock.model.reads];
  return { userIdStatus: status, userCode: digits };
}
