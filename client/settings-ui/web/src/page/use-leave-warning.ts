import { useLayoutEffect } from "preact/hooks";

/**
 * While active, the browser asks before the page is left. It begins and ends
 * with what the page shows, not a moment after.
 */
export function useLeaveWarning(isActive: boolean): void {
  useLayoutEffect(() => {
    if (!isActive) return;
    const ask = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => {
      removeEventListener("beforeunload", ask);
    };
  }, [isActive]);
}
