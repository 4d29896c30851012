/**
 * Lock models: what a lock of each kind announces and how it treats codes.
 * Every model is a declaration; the behaviour itself lives in lock.js and radio.js.
 *
 * `ids` are manufacturer id, product type, product id. Real ones make the driver load the device's
 * configuration file, with its alarm mapping and its removed command classes.
 */
import { UserCredentialRule, UserCredentialType, UserCredentialUserType, UserIDStatus } from "@zwave-js/cc";
import { CommandClasses as CC, SecurityClass } from "@zwave-js/core";

const STATUSES = [UserIDStatus.Available, UserIDStatus.Enabled, UserIDStatus.Disabled];
/** Events of the Access Control notification (type 6) that a v2 lock here can send. */
const ACCESS_EVENTS = [1, 2, 3, 4, 5, 6, 0x0c, 0x0d, 0x0e, 0x0f, 0x13];

const BASE = {
  ids: [0xffff, 0x0001, 0x0001],
  slots: 10,
  userCodeVersion: 2,
  notificationVersion: 8,
  security: null,
  supervision: false,
  /** Schedule Entry Lock: null, or its version and numbers of slots. */
  schedules: null,
  /** Time Parameters: without it the lock has no clock that can be set. */
  clock: false,
  checksum: true,
  /** What Get tells: "digits", "masked" (ten asterisks), "withheld" (taken, no code) or "hidden" (Available). */
  reads: "digits",
  userCode: true,
  userCredential: false,
  /** Normal, vacation, privacy, locked out. */
  keypadModes: [0],
};
const V1 = { userCodeVersion: 1, notificationVersion: 1, checksum: false };
const DAYS = { version: 1, numWeekDaySlots: 1, numYearDaySlots: 1, numDailyRepeatingSlots: 0 };
const DAYS_AND_WEEKS = { ...DAYS, version: 3, numDailyRepeatingSlots: 7 };
const S2 = { security: "S2", supervision: true };

export const MODELS = {
  /** Kwikset 914 by its ids: the driver maps V1 alarms (19 and others) to notifications. */
  v1: { ...BASE, ...V1, ids: [0x0090, 0x0003, 0x0440], slots: 30 },
  v2_s2: { ...BASE, ...S2, schedules: DAYS_AND_WEEKS, keypadModes: [0, 1, 2, 3] },
  v2_plain: { ...BASE },
  /** Schlage BE469, taken slots read as ten asterisks. */
  masked_v1: { ...BASE, ...V1, ids: [0x003b, 0x6341, 0x5044], reads: "masked" },
  /** The same lock over S0, three transmissions for what others do in one. */
  masked_s0: { ...BASE, ...V1, ids: [0x003b, 0x6341, 0x5044], reads: "masked", security: "S0" },
  masked_s2: { ...BASE, ...S2, reads: "masked" },
  withheld: { ...BASE, ...V1, reads: "withheld" },
  /** Accepts every Set and answers every Get with Available, as the Ultraloq U-Bolt Pro does. */
  write_only: { ...BASE, ...V1, reads: "hidden" },
  tiny: { ...BASE, ...S2, slots: 3 },
  /** Only User Credential: no User Code to fall back to. */
  user_credential: { ...BASE, ...S2, userCode: false, userCredential: true },
  dual: { ...BASE, ...S2, userCredential: true },
  /** Keeps schedules and has a clock, as the Yale ZW3 announces it. */
  scheduled: { ...BASE, ...S2, schedules: DAYS_AND_WEEKS, clock: true },
  scheduled_masked: { ...BASE, ...S2, schedules: DAYS_AND_WEEKS, clock: true, reads: "masked" },
  /** Nothing is supervised; only dates, and no time zone to tell. */
  scheduled_plain: { ...BASE, schedules: DAYS, clock: true },
};

/** Node capabilities for the mock radio, from a model and what the test configured for the node. */
export function capabilitiesOf(model, config) {
  const [manufacturerId, productType, productId] = config.ids ?? model.ids;
  const securityClass = { S2: SecurityClass.S2_AccessControl, S0: SecurityClass.S0_Legacy }[model.security];
  return {
    manufacturerId,
    productType,
    productId,
    firmwareVersion: "1.1",
    isListening: false,
    isFrequentListening: "1000ms",
    supportsSecurity: model.security !== null,
    genericDeviceClass: 0x40, // Entry Control
    specificDeviceClass: 0x03, // Secure Keypad Door Lock
    securityClasses: new Set(securityClass === undefined ? [] : [securityClass]),
    txDelay: 1,
    commandClasses: [...commandClasses(model, config.slots ?? model.slots)],
  };
}

function* commandClasses(model, slots) {
  const secure = model.security !== null;
  yield { ccId: CC.Version, version: 2 };
  yield { ccId: CC["Manufacturer Specific"], version: 2 };
  if (model.security === "S2") yield { ccId: CC["Security 2"], version: 1 };
  if (model.security === "S0") yield { ccId: CC.Security, version: 1 };
  if (model.userCodeVersion > 1) yield { ccId: CC["Z-Wave Plus Info"], version: 2 };
  if (model.supervision) yield { ccId: CC.Supervision, version: 1 };
  yield { ccId: CC.Battery, version: 1, secure };
  yield {
    ccId: CC.Notification,
    version: model.notificationVersion,
    secure,
    supportsV1Alarm: model.notificationVersion === 1,
    notificationTypesAndEvents: { 6: ACCESS_EVENTS },
  };
  if (model.userCode) {
    yield {
      ccId: CC["User Code"],
      version: model.userCodeVersion,
      secure,
      numUsers: slots,
      supportsAdminCode: false,
      supportsAdminCodeDeactivation: false,
      supportsUserCodeChecksum: model.checksum,
      supportedUserIDStatuses: STATUSES,
      supportedKeypadModes: model.keypadModes,
    };
  }
  if (model.schedules) yield { ccId: CC["Schedule Entry Lock"], secure, ...model.schedules };
  if (model.clock) yield { ccId: CC["Time Parameters"], version: 1, secure };
  if (model.userCredential) yield userCredential(slots);
}

function userCredential(slots) {
  return {
    ccId: CC["User Credential"],
    version: 1,
    secure: true,
    numberOfSupportedUsers: slots,
    supportedCredentialRules: [UserCredentialRule.Single],
    maxUserNameLength: 10,
    supportedUserTypes: [UserCredentialUserType.General],
    supportedCredentialTypes: new Map([
      [
        UserCredentialType.PINCode,
        {
          numberOfCredentialSlots: slots,
          minCredentialLength: 4,
          maxCredentialLength: 10,
          maxCredentialHashLength: 0,
          supportsCredentialLearn: false,
        },
      ],
    ]),
  };
}
