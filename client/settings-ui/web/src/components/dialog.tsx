import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  title: ComponentChildren;
  /** Interrupts with a question: an alert dialog. */
  isQuestion?: boolean;
  /** Id of the text that says what it is about. */
  describedBy?: string;
  /** Escape was pressed, or what a device has in its place. */
  onDismiss: () => void;
  children: ComponentChildren;
}

/**
 * A native modal dialog. The focus goes to the element with `autofocus` at
 * first, and back to the opener in the end. It is open as long as it is there:
 * only its parent closes it.
 */
export function Dialog(props: Props) {
  const { title, isQuestion, describedBy, onDismiss, children } = props;
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Closing it gives the focus back, which removing it does not.
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      class="dialog"
      role={isQuestion ? "alertdialog" : "dialog"}
      aria-labelledby={titleId}
      aria-describedby={describedBy}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        // Otherwise the browser closes it at the second Escape, whatever
        // becomes of the event `cancel`.
        event.preventDefault();
        // A dialog may be inside another one.
        event.stopPropagation();
        onDismiss();
      }}
      onCancel={(event) => {
        event.preventDefault();
        event.stopPropagation();
        onDismiss();
      }}
      onClose={(event) => {
        event.stopPropagation();
        // The browser closed it by itself.
        const { currentTarget } = event;
        if (currentTarget.isConnected) currentTarget.showModal();
      }}
    >
      <h2 id={titleId} class="dialog-title">
        {title}
      </h2>
      {children}
    </dialog>
  );
}
