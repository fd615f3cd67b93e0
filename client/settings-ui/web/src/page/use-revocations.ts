import { useCallback, useRef, useState } from "preact/hooks";

import type { RevokeReason, Token } from "../../../api/index.js";
import type { ApiClient } from "../api/client.js";
import {
  followRevocation,
  isRevoked,
  type RevocationState,
} from "../logic/revocation.js";

export interface Revocations {
  /** Those that were begun on this page, by the token's id. */
  states: ReadonlyMap<string, RevocationState>;
  /** Tells whether the token is revoked, as soon as that is known. */
  revoke: (id: string, reason: RevokeReason) => Promise<boolean>;
  /** Takes a failure back, before it is tried anew. */
  forget: (id: string) => void;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Revokes tokens, and goes on asking when the dialog is closed. */
export function useRevocations(
  client: ApiClient,
  onConfirmed: (token: Token) => void,
): Revocations {
  const [states, setStates] = useState<Revocations["states"]>(new Map());
  const running = useRef(new Map<string, Promise<boolean>>());

  const set = useCallback((id: string, state: RevocationState | null) => {
    setStates((before) => {
      const after = new Map(before);
      if (state) after.set(id, state);
      else after.delete(id);
      return after;
    });
  }, []);

  const follow = useCallback(
    async (id: string, reason: RevokeReason, tell: (is: boolean) => void) => {
      const post = () => client.revoke(id, { reason });
      for await (const state of followRevocation(post, wait)) {
        set(id, state);
        if (state.status === "confirmed") onConfirmed(state.token);
        if (state.status !== "revoking") tell(isRevoked(state));
      }
      running.current.delete(id);
    },
    [client, onConfirmed, set],
  );

  const revoke = useCallback(
    (id: string, reason: RevokeReason) => {
      let known = running.current.get(id);
      if (!known) {
        known = new Promise((tell) => void follow(id, reason, tell));
        running.current.set(id, known);
      }
      return known;
    },
    [follow],
  );

  const forget = useCallback(
    (id: string) => {
      if (!running.current.has(id)) set(id, null);
    },
    [set],
  );
  return { states, revoke, forget };
}
