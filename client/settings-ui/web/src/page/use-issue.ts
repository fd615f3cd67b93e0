import { useRef, useState } from "preact/hooks";

import type { Issued } from "../api/client.js";
import { asFailure, type Failure } from "../logic/failure.js";
import { useLeaveWarning } from "./use-leave-warning.js";

export interface Issue<Request> {
  isBusy: boolean;
  /** Why the last try failed; null while there is none or another runs. */
  failure: Failure | null;
  /**
   * Whether a try may have succeeded without an answer. From then on the same
   * request is sent again, whatever `make` says: another one could make a
   * second secret. Not any more once that request is refused for what was
   * entered.
   */
  isUncertain: boolean;
  /**
   * Sends what `make` makes, unless a request is on its way. Returns the
   * failure, if it fails.
   */
  submit: (make: (requestId: string) => Request) => Promise<Failure | null>;
}

/**
 * Has one secret issued: all tries bear the same request id, so that a second
 * click, or a try after an answer that was lost, issues no second one.
 */
export function useIssue<Request>(
  send: (request: Request) => Promise<Issued>,
  onIssued: (issued: Issued) => void,
): Issue<Request> {
  const [requestId] = useState(() => crypto.randomUUID());
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isBusy, setBusy] = useState(false);
  // Not only in the state, which a second click in the same moment does not see.
  const isSending = useRef(false);
  const uncertain = useRef<Request | null>(null);
  useLeaveWarning(isBusy);

  async function submit(make: (requestId: string) => Request) {
    if (isSending.current) return null;
    isSending.current = true;
    setBusy(true);
    setFailure(null);
    const request = uncertain.current ?? make(requestId);
    try {
      onIssued(await send(request));
      return null;
    } catch (thrown) {
      const reason = asFailure(thrown);
      if (reason.isUncertain) uncertain.current = request;
      else if (reason.isAboutEntries) uncertain.current = null;
      setFailure(reason);
      return reason;
    } finally {
      isSending.current = false;
      setBusy(false);
    }
  }

  const isUncertain = uncertain.current !== null;
  return { isBusy, failure, isUncertain, submit };
}
