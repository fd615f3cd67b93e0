/**
 * A token's secret while it is shown. Nothing prints it, and nothing but this
 * object and the field that shows it may keep it.
 */
export class Secret {
  #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret; empty after `wipe`. */
  reveal(): string {
    return this.#text;
  }

  wipe(): void {
    this.#text = "";
  }

  toJSON(): string {
    return "[secret]";
  }
}
