/** One lock on the simulated air: counts and answers frames, sends its own. */
import { Security2CC, SecurityCC } from "@zwave-js/cc";
import { SecurityCCCommandEncapsulation, SecurityCCNonceGet, SecurityCCNonceReport } from "@zwave-js/cc/SecurityCC";
import { MockNode, MockZWaveFrameType, createMockZWaveRequestFrame } from "@zwave-js/testing";
import { createDefaultMockNodeBehaviors } from "zwave-js/Testing";
import { innermost, isScheduleSet, isSupervised, isWrite, kindOf, lockBehavior } from "./commands.js";
import { Keypad } from "./keypad.js";
import { capabilitiesOf } from "./models.js";

/** The driver sends a command up to three times when the radio acknowledgement is missing. */
const SEND_ATTEMPTS = 3;
const NONCE_TIMEOUT_MS = 1000;

/** Puts a lock on the air of `controller`; returns its keypad. */
export async function putOnAir(controller, lock) {
  const node = await MockNode.create({
    id: lock.nodeId,
    controller,
    capabilities: capabilitiesOf(lock.model, lock.config),
  });
  // The slots belong to the lock, not to this radio session: they survive a driver restart.
  node.state = lock.state;
  const keypad = new Keypad(lock, controller.ownNodeId, (cc) => transmit(lock, node, cc));
  const pending = [];
  node.defineBehavior(...createDefaultMockNodeBehaviors());
  node.defineBehavior(lockBehavior(lock, (action) => pending.push(action)));
  listen(lock, node, async () => {
    while (pending.length > 0) await pending.shift()(keypad);
  });
  controller.addNode(node);
  return keypad;
}

function listen(lock, node, afterAnswer) {
  const handle = node.onControllerFrame.bind(node);
  let unacknowledged = 0;
  node.onControllerFrame = async (frame) => {
    if (frame.type === MockZWaveFrameType.Request) {
      const cc = innermost(frame.payload);
      // S0 content is readable only later, so the behaviour counts it.
      const sealed = cc instanceof SecurityCCCommandEncapsulation && !lock.faults.dead;
      if (!sealed) lock.count(kindOf(cc));
      if (lock.faults.dead) return;
      if (unacknowledged === 0 && !isSupervised(frame.payload) && losesAnswer(lock, cc)) {
        unacknowledged = SEND_ATTEMPTS;
      }
      node.autoAckControllerFrames = unacknowledged === 0;
      if (unacknowledged > 0) unacknowledged -= 1;
    }
    await handle(frame);
    await afterAnswer();
  };
}

function losesAnswer(lock, cc) {
  return (isWrite(cc) && lock.take("loseAnswers")) || (isScheduleSet(cc) && lock.take("loseScheduleAnswers"));
}

async function transmit(lock, node, cc) {
  if (lock.faults.dead) return;
  const secured = await encapsulate(lock, node, cc);
  await node.sendToController(createMockZWaveRequestFrame(secured));
}

async function encapsulate(lock, node, cc) {
  if (lock.model.security === "S2") return Security2CC.encapsulate(cc, node.id, node.securityManagers);
  if (lock.model.security !== "S0") return cc;
  // S0 sends nothing unasked without a fresh nonce of the receiver.
  const nodeId = node.controller.ownNodeId;
  const answer = node.expectControllerFrame(
    (frame) => frame.type === MockZWaveFrameType.Request && frame.payload instanceof SecurityCCNonceReport,
    { timeout: NONCE_TIMEOUT_MS },
  );
  await node.sendToController(
    createMockZWaveRequestFrame(new SecurityCCNonceGet({ nodeId }), { ackRequested: false }),
  );
  const { payload } = await answer;
  const secured = SecurityCC.encapsulate(node.id, node.securityManagers.securityManager, cc);
  secured.nonce = payload.nonce;
  return secured;
}
