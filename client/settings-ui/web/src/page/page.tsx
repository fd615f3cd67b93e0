import type { ComponentChildren } from "preact";
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "preact/hooks";

import type { Session } from "../../../api/index.js";
import type { ApiClient } from "../api/client.js";
import { Button } from "../components/controls.js";
import { useTranslator } from "../i18n/translator.js";
import type { Action } from "../list/token-item.js";
import { FilterChoice, TokenList } from "../list/token-list.js";
import { asFailure, Failure } from "../logic/failure.js";
import { type OpenDialog, PageDialog } from "./page-dialog.js";
import { Blocked, Shell } from "./shell.js";
import { useRevocations } from "./use-revocations.js";
import { type Tokens, useTokens } from "./use-tokens.js";

interface Props {
  client: ApiClient;
  /** From the address. */
  project: string;
}

export function Page({ client, project }: Props) {
  const translator = useTranslator();
  const [session, setSession] = useState<Session | Failure | null>(null);
  // Asked for at the same time as the session, not after it.
  const tokens = useTokens(client);
  const { refresh } = tokens;

  const load = useCallback(async () => {
    setSession(await client.session().catch(asFailure));
  }, [client]);

  // What is shown stays where there is no answer.
  const refreshOffer = useCallback(() => {
    void client.session().then(setSession, () => undefined);
  }, [client]);

  useEffect(() => {
    void load();
  }, [load]);

  // What a page of the back-forward cache shows may be long past.
  useEffect(() => {
    const show = ({ persisted }: PageTransitionEvent) => {
      if (!persisted) return;
      void load();
      refresh();
    };
    addEventListener("pageshow", show);
    return () => {
      removeEventListener("pageshow", show);
    };
  }, [load, refresh]);

  if (session instanceof Failure) {
    const retry = () => {
      setSession(null);
      void load();
      tokens.retry();
    };
    return (
      <Shell project={project} user={null}>
        <Blocked failure={session} onRetry={retry} />
      </Shell>
    );
  }
  return (
    <Shell project={project} user={session?.user ?? null}>
      {session ? (
        <ApiAccess
          client={client}
          scopes={session.scopes}
          onRefreshOffer={refreshOffer}
          tokens={tokens}
        />
      ) : (
        <p class="list-state" role="status">
          {translator.text("page.loading")}
        </p>
      )}
    </Shell>
  );
}

interface ApiAccessProps {
  client: ApiClient;
  scopes: readonly string[];
  onRefreshOffer: () => void;
  tokens: Tokens;
}

/** What a platform puts into its own settings page. */
function ApiAccess(props: ApiAccessProps) {
  const { client, scopes, onRefreshOffer, tokens } = props;
  const translator = useTranslator();
  const listHeading = useRef<HTMLHeadingElement>(null);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const revocations = useRevocations(client, tokens.change);

  const wasOpen = useRef(false);
  // Whoever opened the dialog may be gone, such as a revoked token's buttons.
  useLayoutEffect(() => {
    const isLost = document.activeElement === document.body;
    if (!dialog && isLost && wasOpen.current) listHeading.current?.focus();
    wasOpen.current = dialog !== null;
  }, [dialog]);

  return (
    <>
      <div class="page-head">
        <div>
          <h1>{translator.text("page.title")}</h1>
          <p class="intro">{translator.text("page.intro")}</p>
        </div>
        <Button
          kind="primary"
          onPress={() => {
            setDialog({ kind: "create" });
          }}
        >
          {translator.text("create.open")}
        </Button>
      </div>
      <Advice />
      <section aria-labelledby="tokens">
        <div class="list-head">
          <h2 id="tokens" ref={listHeading} tabIndex={-1}>
            {translator.text("list.title")}
          </h2>
          <FilterChoice filter={tokens.filter} show={tokens.show} />
        </div>
        <TokenList
          tokens={tokens}
          revocations={revocations}
          onAction={(kind: Action, token) => {
            revocations.forget(token.id);
            setDialog({ kind, token });
          }}
        />
      </section>
      {dialog && (
        <PageDialog
          dialog={dialog}
          client={client}
          scopes={scopes}
          onRefreshOffer={onRefreshOffer}
          tokens={tokens}
          revocations={revocations}
          onChange={setDialog}
        />
      )}
    </>
  );
}

function Advice() {
  const translator = useTranslator();
  const b = (text: ComponentChildren) => <b>{text}</b>;
  return (
    <aside class="advice" aria-labelledby="advice">
      <h2 id="advice">{translator.text("advice.title")}</h2>
      <ul>
        <li>{translator.rich("advice.unused", { b })}</li>
        <li>{translator.rich("advice.leak", { b })}</li>
      </ul>
    </aside>
  );
}
