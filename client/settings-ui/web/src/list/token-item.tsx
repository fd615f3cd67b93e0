import type { ComponentChildren } from "preact";

import type { Token } from "../../../api/index.js";
import { Button, Name, Notice, Time } from "../components/controls.js";
import { isolated, useTranslator } from "../i18n/translator.js";
import { isRevoked, type RevocationState } from "../logic/revocation.js";
import { unusedDays } from "../logic/usage.js";

export type Action = "rotate" | "revoke" | "leak";

interface Props {
  token: Token;
  /** Of a revocation that was begun on this page. */
  revocation: RevocationState | undefined;
  onAction: (action: Action, token: Token) => void;
}

export function TokenItem({ token, revocation, onAction }: Props) {
  const translator = useTranslator();
  const isConfirming = isRevoked(revocation) && token.state !== "revoked";
  const state = isConfirming ? "confirming" : token.state;
  const name = isolated(token.displayName);
  const act = (action: Action) => () => {
    onAction(action, token);
  };

  return (
    <li class={`token token-${state}`}>
      <div class="token-head">
        {/* Takes the focus after more were loaded. */}
        <h3 class="token-name" tabIndex={-1}>
          <Name>{token.displayName}</Name>
        </h3>
        <span class={`badge badge-${state}`}>
          {translator.text(`token.state.${state}`)}
        </span>
      </div>
      {token.description !== "" && (
        <p class="token-description" dir="auto">
          {token.description}
        </p>
      )}
      <Facts token={token} revocation={revocation} />
      {state === "active" && <Hints token={token} />}
      {/* What is inactive may be made active again, and can be revoked. */}
      {(state === "active" || state === "inactive") && (
        <div class="token-actions">
          {state === "active" && (
            <>
              <Button
                kind="quiet"
                label={translator.text("token.rotate.named", { name })}
                onPress={act("rotate")}
              >
                {translator.text("token.rotate")}
              </Button>
              <Button
                kind="quiet"
                label={translator.text("token.leaked.named", { name })}
                onPress={act("leak")}
              >
                {translator.text("token.leaked")}
              </Button>
            </>
          )}
          <Button
            kind="quiet-danger"
            label={translator.text("token.revoke.named", { name })}
            onPress={act("revoke")}
          >
            {translator.text("token.revoke")}
          </Button>
        </div>
      )}
    </li>
  );
}

function Facts({ token, revocation }: Omit<Props, "onAction">) {
  const translator = useTranslator();
  const never = translator.text("token.never");
  return (
    <dl class="facts">
      <Fact label={translator.text("token.created")}>
        <Time time={token.createTime} />
      </Fact>
      <Fact label={translator.text("token.lastUsed")}>
        {token.lastUsedTime === null ? (
          never
        ) : (
          <Time time={token.lastUsedTime} />
        )}
      </Fact>
      {token.revokeTime === null ? (
        <Fact
          label={translator.text(
            token.state === "expired" ? "token.expired" : "token.expires",
          )}
        >
          {token.expireTime === null ? never : <Time time={token.expireTime} />}
        </Fact>
      ) : (
        <Fact label={translator.text("token.revoked")}>
          <Time time={token.revokeTime} />
        </Fact>
      )}
      {revocation?.status === "confirmed" && (
        <Fact label={translator.text("token.confirmed")}>
          <Time time={revocation.confirmTime} precision="second" />
        </Fact>
      )}
      <Fact label={translator.text("token.hint")}>
        <code dir="ltr">…{token.hint}</code>
      </Fact>
      <Fact label={translator.text("token.creator")}>
        <Name>{token.creator}</Name>
      </Fact>
      <Fact label={translator.text("token.scopes")}>
        {token.scopes.length === 0 ? (
          translator.text("token.scopes.none")
        ) : (
          <ul class="scopes">
            {token.scopes.map((scope) => (
              <li key={scope}>
                <code>{scope}</code>
              </li>
            ))}
          </ul>
        )}
      </Fact>
    </dl>
  );
}

function Fact(props: { label: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** What the owner should know of an active token. */
function Hints({ token }: { token: Token }) {
  const translator = useTranslator();
  const now = new Date();
  const days = unusedDays(token, now);
  const { oldSecretExpireTime: end, oldSecretLastUsedTime: used } = token;
  return (
    <>
      {days !== null && (
        <Notice kind="warning">
          <p>{translator.text("token.unused", { days })}</p>
        </Notice>
      )}
      {end !== null && Date.parse(end) > now.getTime() && (
        <Notice kind="info">
          <p>
            {used === null
              ? translator.rich("token.oldSecret", {
                  time: <Time time={end} />,
                })
              : translator.rich("token.oldSecret.used", {
                  time: <Time time={end} />,
                  used: <Time time={used} />,
                })}
          </p>
        </Notice>
      )}
    </>
  );
}
