import { useCallback } from "preact/hooks";

import type { Token } from "../../../api/index.js";
import type { ApiClient, Issued } from "../api/client.js";
import { CreateDialog } from "../dialogs/create-dialog.js";
import { LeakDialog } from "../dialogs/leak-dialog.js";
import { RevokeDialog } from "../dialogs/revoke-dialog.js";
import { RotateDialog } from "../dialogs/rotate-dialog.js";
import { SecretDialog, type SecretKind } from "../dialogs/secret-dialog.js";
import type { Action } from "../list/token-item.js";
import type { Revocations } from "./use-revocations.js";
import type { Tokens } from "./use-tokens.js";

export type OpenDialog =
  | { kind: "create" }
  | { kind: Action; token: Token }
  | { kind: "secret"; of: SecretKind; issued: Issued };

interface Props {
  dialog: OpenDialog;
  client: ApiClient;
  /** Those that the platform offers. */
  scopes: readonly string[];
  onRefreshOffer: () => void;
  tokens: Tokens;
  revocations: Revocations;
  /** Null closes it. */
  onChange: (dialog: OpenDialog | null) => void;
}

/** The one dialog that is open, and what it does to the list. */
export function PageDialog(props: Props) {
  const { dialog, client, scopes, tokens, revocations, onChange } = props;

  const close = useCallback(() => {
    onChange(null);
  }, [onChange]);

  function cancel(isUncertain: boolean) {
    // The list says whether something was made.
    if (isUncertain) tokens.refresh();
    close();
  }

  function show(of: SecretKind) {
    return (issued: Issued) => {
      if (of === "rotated") tokens.change(issued.token);
      else tokens.add(issued.token);
      onChange({ kind: "secret", of, issued });
    };
  }

  if (dialog.kind === "secret") {
    return (
      <SecretDialog issued={dialog.issued} kind={dialog.of} onClose={close} />
    );
  }
  if (dialog.kind === "create") {
    return (
      <CreateDialog
        scopes={scopes}
        send={(request) => client.create(request)}
        onIssued={show("created")}
        onCancel={cancel}
      />
    );
  }
  const { token } = dialog;
  switch (dialog.kind) {
    case "rotate":
      return (
        <RotateDialog
          token={token}
          send={(request) => client.rotate(token.id, request)}
          onIssued={show("rotated")}
          onCancel={cancel}
        />
      );
    case "revoke":
      return (
        <RevokeDialog
          token={token}
          state={revocations.states.get(token.id)}
          onRevoke={(reason) => void revocations.revoke(token.id, reason)}
          onReplace={() => {
            revocations.forget(token.id);
            onChange({ kind: "leak", token });
          }}
          onClose={close}
        />
      );
    case "leak":
      return (
        <LeakDialog
          token={token}
          scopes={scopes}
          onRefreshOffer={props.onRefreshOffer}
          revocation={revocations.states.get(token.id)}
          onRevoke={() => revocations.revoke(token.id, "compromised")}
          send={(request) => client.create(request)}
          onIssued={show("replaced")}
          onClose={cancel}
        />
      );
  }
}
