import { asFailure, type Failure } from "./failure.js";

/** Asks for what may change meanwhile: only the latest is of interest. */
export class Latest {
  #questions = 0;
  #changes = 0;

  /** What was asked for may have changed since. */
  outdate(): void {
    this.#changes += 1;
  }

  /**
   * Asks, and asks again if it was outdated meanwhile. Returns null if there
   * was another question meanwhile, whose answer counts.
   */
  async answer<T>(ask: () => Promise<T>): Promise<T | Failure | null> {
    const question = ++this.#questions;
    for (;;) {
      const changes = this.#changes;
      const answer = await ask().catch(asFailure);
      if (question !== this.#questions) return null;
      if (changes === this.#changes) return answer;
    }
  }
}
