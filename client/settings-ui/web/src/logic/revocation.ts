/** Follows a revocation until it is confirmed. */
import type { Revocation, Token } from "../../../api/index.js";
import { asFailure, type Failure } from "./failure.js";

export type RevocationState =
  | { status: "revoking" }
  /** Revoked for good, but not every server has said so. */
  | { status: "confirming" }
  | { status: "confirmed"; token: Token; confirmTime: string }
  /** Nothing more is tried. `revoked`: the token is revoked all the same. */
  | { status: "failed"; failure: Failure; revoked: boolean };

/** Whether a token is known to be revoked. */
export function isRevoked(state: RevocationState | undefined): boolean {
  switch (state?.status) {
    case "confirming":
    case "confirmed":
      return true;
    case "failed":
      return state.revoked;
    default:
      return false;
  }
}

/** Between two questions, in milliseconds: doubled each time. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/** Whether asking again can help once a token is known to be revoked. */
function isPassing({ isUncertain, code }: Failure): boolean {
  return isUncertain || code === "busy";
}

/**
 * Revokes a token and yields what became of it, again with each change. After
 * the first word that it is revoked, a service that is away is waited for.
 *
 * `post` asks once and throws a Failure; `wait` takes milliseconds.
 */
export async function* followRevocation(
  post: () => Promise<Revocation>,
  wait: (milliseconds: number) => Promise<void>,
): AsyncGenerator<RevocationState, void> {
  yield { status: "revoking" };
  let revoked = false;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const revocation = await post();
      if (revocation.status === "confirmed") {
        const { token, confirmTime } = revocation;
        yield { status: "confirmed", token, confirmTime };
        return;
      }
      if (!revoked) yield { status: "confirming" };
      revoked = true;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!revoked || !isPassing(failure)) {
        yield { status: "failed", failure, revoked };
        return;
      }
    }
    await wait(pause);
  }
}
