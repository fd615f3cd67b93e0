import assert from "node:assert/strict";
import { it } from "node:test";

import { Failure } from "../../web/src/logic/failure.js";
import { Latest } from "../../web/src/logic/latest.js";

/** A question whose answers are given one by one. */
class Asked {
  readonly #answers: ((answer: string | Promise<string>) => void)[] = [];

  readonly ask = () =>
    new Promise<string>((resolve) => this.#answers.push(resolve));

  get times(): number {
    return this.#answers.length;
  }

  /** Answers what was asked last; returns when that was heard. */
  async answer(answer: string | Failure): Promise<void> {
    const last = this.#answers.at(-1) ?? assert.fail("nothing was asked");
    last(answer instanceof Failure ? Promise.reject(answer) : answer);
    await new Promise(setImmediate);
  }
}

it("an answer from before a change is not taken", async () => {
  const latest = new Latest();
  const asked = new Asked();
  const answer = latest.answer(asked.ask);
  latest.outdate();
  await asked.answer("before");
  assert.equal(asked.times, 2);
  await asked.answer("after");
  assert.equal(await answer, "after");
});

it("a change before the question costs nothing", async () => {
  const latest = new Latest();
  const asked = new Asked();
  latest.outdate();
  const answer = latest.answer(asked.ask);
  await asked.answer("after");
  assert.equal(await answer, "after");
  assert.equal(asked.times, 1);
});

it("an answer to an earlier question is dropped, and not asked for again", async () => {
  const latest = new Latest();
  const [earlier, later] = [new Asked(), new Asked()];
  const answers = [latest.answer(earlier.ask), latest.answer(later.ask)];
  latest.outdate();
  await earlier.answer("earlier");
  await later.answer("before");
  await later.answer("after");
  assert.deepEqual(await Promise.all(answers), [null, "after"]);
  assert.equal(earlier.times, 1);
});

it("a failure is an answer", async () => {
  const latest = new Latest();
  const asked = new Asked();
  const answer = latest.answer(asked.ask);
  const failure = new Failure("unavailable");
  await asked.answer(failure);
  assert.equal(await answer, failure);
});
