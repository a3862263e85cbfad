/** Durations of events, which are made as often as steps end, and seldom read. */
import * as Duration from "effect/Duration"

/** Computes its value when it is read: a bigint, and the object around it, take longer than the rest of an event. */
class Elapsed {
  private readonly nanos: number
  constructor(nanos: number) {
    this.nanos = nanos
  }
  static {
    // within the class: bundlers would keep a statement beside it, and what that loads, for code without steps
    Object.setPrototypeOf(Elapsed.prototype, Object.getPrototypeOf(Duration.zero))
  }
  get value(): Duration.Duration["value"] {
    return Duration.nanos(BigInt(Math.round(this.nanos))).value
  }
}

/** Returns a duration of nanoseconds, which may have a fraction. */
export const elapsed = (nanos: number): Duration.Duration => new Elapsed(nanos) as unknown as Duration.Duration // the cast: it has the methods of a duration by its prototype
