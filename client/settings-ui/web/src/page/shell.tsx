import type { ComponentChildren } from "preact";

import { signInAddress } from "../api/address.js";
import { KeyIcon, Name } from "../components/controls.js";
import { FailureNotice } from "../components/failure-notice.js";
import { useTranslator } from "../i18n/translator.js";
import type { Failure } from "../logic/failure.js";

interface Props {
  project: string;
  /** Null as long as it is not known. */
  user: string | null;
  children: ComponentChildren;
}

/** Stands in for the frame that the platform has around its settings. */
export function Shell({ project, user, children }: Props) {
  const translator = useTranslator();
  return (
    <>
      <header class="topbar">
        <nav aria-label={translator.text("page.path")}>
          <ol class="path">
            <li>
              <Name>{project}</Name>
            </li>
            <li>{translator.text("page.settings")}</li>
            <li aria-current="page">{translator.text("page.title")}</li>
          </ol>
        </nav>
        {user !== null && (
          <p class="user">
            {translator.rich("page.user", { user: <Name>{user}</Name> })}
          </p>
        )}
      </header>
      <main class="page">{children}</main>
    </>
  );
}

/** Instead of the tokens, when nothing can be done here. */
export function Blocked(props: { failure: Failure; onRetry: () => void }) {
  const { failure, onRetry } = props;
  const translator = useTranslator();
  if (failure.code === "signed-out" || failure.code === "not-found") {
    const isSignedOut = failure.code === "signed-out";
    const texts = isSignedOut ? "page.signedOut" : "page.notFound";
    return (
      <div class="blocked">
        <KeyIcon />
        <h1>{translator.text(`${texts}.title`)}</h1>
        <p>{translator.text(`${texts}.text`)}</p>
        {isSignedOut && (
          <a class="button button-primary" href={signInAddress()}>
            {translator.text("signIn")}
          </a>
        )}
      </div>
    );
  }
  return (
    <div class="blocked">
      <h1>{translator.text("page.title")}</h1>
      <FailureNotice
        failure={failure}
        what="page.failed.title"
        onRetry={onRetry}
      />
    </div>
  );
}
