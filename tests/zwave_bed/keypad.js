/** What people do at the lock, and the frames it then sends by itself. */
import { BatteryCCReport, UserIDStatus } from "@zwave-js/cc";
import { NotificationCCReport } from "@zwave-js/cc/NotificationCC";
import { UserCodeCCKeypadModeReport, UserCodeCCReport } from "@zwave-js/cc/UserCodeCC";
import { shown } from "./commands.js";

const ACCESS_CONTROL = 6;
/** Notification 6 events and the V1 alarm types that say the same on older locks. */
const EVENTS = {
  added: { event: 0x0e, alarm: 112 },
  deleted: { event: 0x0d, alarm: 33 },
  all_deleted: { event: 0x0c, alarm: 32 },
  duplicate: { event: 0x0f, alarm: 113 },
  unlocked: { event: 0x06, alarm: 19 },
  wrong_code: { event: 0x13, alarm: 161 },
};

export class Keypad {
  /** `transmit(cc)` sends one frame of the lock to the controller and returns when it is acknowledged. */
  constructor(lock, controllerId, transmit) {
    this.lock = lock;
    this.nodeId = controllerId;
    this.transmit = transmit;
  }

  /** Types a code into a slot: `report` says how the lock tells. */
  async edit(slot, code, report) {
    this.#demandSlot(slot);
    this.lock.write(slot, UserIDStatus.Enabled, code);
    await this.#announce("added", slot, report);
  }

  async clear(slot, report) {
    this.#demandSlot(slot);
    this.lock.write(slot, UserIDStatus.Available);
    await this.#announce("deleted", slot, report);
  }

  async clearAll(report) {
    const slots = this.lock.slots().map(({ slot }) => slot);
    this.lock.clearAll();
    if (report !== "report") return this.#announce("all_deleted", 0, report);
    for (const slot of slots) await this.#reportSlot(slot);
  }

  /** Opens the door with the code of a slot. */
  unlock(slot) {
    return this.#announce("unlocked", slot, this.#ownManner());
  }

  /** Wrong codes until the lock says so. */
  wrongCode() {
    return this.#announce("wrong_code", 0, this.#ownManner());
  }

  announceDuplicate(slot) {
    return this.#announce("duplicate", slot, this.#ownManner());
  }

  /** The lock's battery report, unasked: also its first sign of life after a silence. */
  reportBattery() {
    return this.transmit(new BatteryCCReport({ nodeId: this.nodeId, level: this.lock.battery }));
  }

  /** Sends a User Code Report that need not be true, as some locks do just after a change. */
  sendReport(slot, status, code) {
    const options = { nodeId: this.nodeId, userId: slot, userIdStatus: status, userCode: code };
    return this.transmit(new UserCodeCCReport(options));
  }

  /** Sends any Access Control notification; `parameters` are its raw event parameter bytes. */
  sendNotification(event, parameters) {
    const eventParameters = parameters.length > 0 ? Uint8Array.from(parameters) : undefined;
    const options = { nodeId: this.nodeId, notificationType: ACCESS_CONTROL, notificationEvent: event };
    return this.transmit(new NotificationCCReport({ ...options, eventParameters }));
  }

  sendAlarm(type, level) {
    const options = { nodeId: this.nodeId, alarmType: type, alarmLevel: level };
    return this.transmit(new NotificationCCReport(options));
  }

  /** Somebody switches the keypad off or on; the lock says so, and answers so from then on. */
  switchMode(mode) {
    this.lock.state.set("UserCode_keypadMode", mode);
    return this.transmit(new UserCodeCCKeypadModeReport({ nodeId: this.nodeId, keypadMode: mode }));
  }

  #ownManner() {
    return this.lock.model.notificationVersion === 1 ? "v1_alarm" : "notification";
  }

  async #announce(what, slot, report) {
    const { event, alarm } = EVENTS[what];
    if (report === "silent") return;
    if (report === "report") return this.#reportSlot(slot);
    if (report === "v1_alarm") return this.sendAlarm(alarm, slot);
    if (report !== "notification") throw new Error(`unknown report kind ${report}`);
    await this.sendNotification(event, slot > 0 ? [slot] : []);
  }

  #reportSlot(slot) {
    const { userIdStatus, userCode } = shown(this.lock, slot);
    return this.sendReport(slot, userIdStatus, userCode);
  }

  #demandSlot(slot) {
    if (!this.lock.holds(slot)) throw new Error(`slot ${slot} is not on this lock`);
  }
}
