/** Supervised runs: how the child ends, and which alerts child and parent post. */
import * as assert from "node:assert/strict"
import { after, test } from "node:test"
import { someRuntimes } from "../../support/runtimes.ts"
import { fieldsOf, ofLoad, ofRun, parentSays, scenarios, titled, titles } from "./scenarios.ts"

const each = scenarios(test, after)

/** Removes the times for which steps have been running, which have one each. */
const untimed = (running = ""): string => running.replaceAll(/ \(\d+(\.\d)? m?s\)/g, "")

each("kill -9 in a step is alerted for the step and the run", "kill", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  assert.deepEqual(outcome.child, [])
  const run = ofRun(outcome)
  const step = ofLoad(outcome)
  const { "running for": elapsed, ...fields } = fieldsOf(step)
  assert.match(elapsed!, /^(\d+ ms|\d+(\.\d)? s)$/)
  assert.equal(step.body, `killed by SIGKILL after ${elapsed}`)
  assert.deepEqual(fields, { pipeline: "nightly", run: "nightly-7", step: "load", signal: "SIGKILL" })
  assert.equal(untimed(fieldsOf(run)["running"]), "load")
  assert.equal(step.detail, [...Array.from({ length: 19 }, (_, i) => `row ${i + 6}`), "last words"].join("\n"))
  assert.equal(run.detail, step.detail)
  const { runId, ...source } = step.source
  assert.deepEqual(source, { pipeline: "nightly", runName: "nightly-7", stepPath: ["load"], attempt: 1 })
  assert.deepEqual(run.source, { pipeline: "nightly", runId, runName: "nightly-7", stepPath: [] })
  assert.deepEqual([run, step].map(({ severity, tags }) => [severity, ...tags]), [
    ["critical", "crash", "SIGKILL"],
    ["critical", "crash", "SIGKILL"]
  ])
  assert.deepEqual([run.dedupeKey, step.dedupeKey], ["nightly", "nightly/load"])
  // stderr is forwarded with its escape sequences
  const { stderr } = outcome
  assert.ok(stderr.startsWith("row 0\nrow 1\n"))
  assert.ok(stderr.includes("\nrow 24\n\u001b[31mlast words\u001b[0m\nepilogue: nightly › load crashed: killed by"))
})

for (const code of [0, 3]) {
  each(`process.exit(${code}) in a step is alerted as a crash`, `exit${code}`, (outcome) => {
    parentSays("nightly crashed", "nightly › load crashed")(outcome)
    assert.equal(fieldsOf(ofLoad(outcome))["exit code"], String(code))
    assert.match(ofLoad(outcome).body, new RegExp(`^exit code ${code} after `))
  }, { on: code === 0 ? someRuntimes() : ["bun"] })
}

each("running out of heap is alerted as a crash", "heap", (outcome, runtime) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  const { body, tags } = ofLoad(outcome)
  const signal = runtime === "deno" ? "SIGTRAP" : "SIGABRT"
  // the child can't exhaust Bun's heap, and aborts
  assert.deepEqual(tags, ["crash", signal, ...(runtime === "bun" ? [] : ["out-of-memory"])])
  if (runtime !== "bun") assert.ok(body.startsWith(`out of memory, killed by ${signal} after `), body)
}, { heap: true })

each(
  "a crash for lack of memory is alerted as such, however long the stack trace is that follows",
  "traced",
  (outcome) => {
    assert.deepEqual(ofLoad(outcome).tags, ["crash", "SIGABRT", "out-of-memory"])
    assert.match(ofRun(outcome).body, /^out of memory, killed by SIGABRT after /)
  },
  { on: ["bun"] }
)

each("the alert of a crash in a hook has the failure that was not alerted yet", "hook", (outcome) => {
  parentSays("nightly crashed", "nightly › load failed, then crashed")(outcome)
  assert.deepEqual(outcome.child, [])
  const { body, dedupeKey, detail } = titled(outcome.parent, "nightly › load failed, then crashed")
  assert.equal(body, "Error: no such bucket\nkilled by SIGKILL before an alert of that was delivered")
  assert.match(detail, /^Error: no such bucket\n {4}at /)
  assert.equal(dedupeKey, "nightly/load")
})

each("a crash after the alert of a failure does not repeat that alert", "delivered", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › load failed"])
  parentSays("nightly crashed")(outcome)
  assert.equal(fieldsOf(ofRun(outcome))["last step"], "load failed")
})

each("a crash in the hook that posted an alert does not repeat that alert", "custom", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["no bucket: page Ann"])
  parentSays("nightly crashed")(outcome)
}, { on: ["bun"] })

each("an alert through the pipeline's own alerter is not repeated after a crash", "own", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › load failed"])
  parentSays("nightly crashed")(outcome)
}, { on: ["bun"] })

each(
  "a crash after the alert of the run's failure is printed only",
  "runAlerted",
  ({ child, code, parent, stderr }) => {
    assert.deepEqual(titles(child), ["nightly failed"])
    assert.deepEqual([code, parent], [1, []])
    assert.equal(stderr, "epilogue: killed by SIGKILL after the run's failure had been alerted\n")
  },
  { on: ["bun"] }
)

each("an alert that the body of a step posts does not count as the alert of its crash", "posts", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["slow today"])
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
}, { on: ["bun"] })

each("a failure that was handled before the crash is not alerted again", "handled", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › probe failed"])
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
}, { on: ["bun"] })

each("the alert of a crash has the number of the attempt", "second", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  assert.equal(fieldsOf(ofLoad(outcome))["attempt"], "2")
  assert.equal(ofLoad(outcome).source.attempt, 2)
}, { on: ["bun"] })

each("a run that fails without a crash is alerted by the child alone", "fails", ({ child, code, parent }) => {
  assert.equal(code, 1)
  assert.deepEqual(titles(child), ["nightly › load failed"])
  assert.deepEqual(parent, [])
})

each("a run that succeeds posts and prints nothing", "succeeds", (outcome) => {
  assert.deepEqual(outcome, { code: 0, signal: null, stderr: "", child: [], parent: [] })
})

each("a crash during concurrent steps is alerted once for each step name", "parallel", (outcome) => {
  parentSays("nightly crashed", "nightly › left crashed", "nightly › right crashed", "nightly › shard crashed")(outcome)
  assert.equal(untimed(fieldsOf(ofRun(outcome))["running"]), "left, right, shard")
}, { on: ["bun"] })

each("a crash during many steps posts a bounded number of alerts", "many", (outcome) => {
  assert.equal(outcome.parent.length, 11)
  assert.match(untimed(fieldsOf(ofRun(outcome))["running"]), /^part 0, part 1, .*, part 9 and 5 more$/)
}, { on: ["bun"] })

each("an alert has the end of a long stderr, which is forwarded in full", "flood", (outcome) => {
  const { detail } = ofLoad(outcome)
  assert.match(detail, /^x+ last words$/)
  assert.ok(detail.length > 10_000 && detail.length < 20_000, `${detail.length} characters`)
  assert.ok(outcome.stderr.startsWith(`${"x".repeat(5_000_000)} last words`))
}, { on: ["bun"] })

each("a crash right after thousands of events is alerted for the open step", "busy", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
})

each("a crash in nested steps is alerted for the innermost", "nested", (outcome) => {
  parentSays("nightly crashed", "nightly › outer › inner crashed")(outcome)
  assert.equal(titled(outcome.parent, "nightly › outer › inner crashed").dedupeKey, "nightly/outer/inner")
}, { on: ["bun"] })

each("a crash between two steps is alerted for the run, with the last step", "between", (outcome) => {
  parentSays("nightly crashed")(outcome)
  assert.equal(fieldsOf(ofRun(outcome))["last step"], "extract succeeded")
}, { on: ["bun"] })

each("a crash before the run begins is alerted for the pipeline", "early", (outcome) => {
  parentSays("nightly crashed")(outcome)
  assert.match(ofRun(outcome).body, /^exit code 7 after .*, before its run began$/)
}, { on: ["bun"] })

each("a child that has come to its end with exit code 2 before the run began has not crashed", "usage", (outcome) => {
  assert.deepEqual([outcome.code, outcome.parent], [2, []])
}, { on: ["bun"] })

each("exit code 2 of a child that has not come to its end is a crash", "exits2", (outcome) => {
  parentSays("nightly crashed")(outcome)
  assert.match(ofRun(outcome).body, /^exit code 2 after .*, before its run began$/)
}, { on: ["bun"] })

each("a process that outlives the child does not delay the alerts", "grandchild", (outcome) => {
  process.kill(Number(/sleeper (\d+)/.exec(outcome.stderr)![1]))
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
})

each("a child that SIGTERM interrupts has not crashed", "interrupted", ({ code, parent, stderr }) => {
  assert.deepEqual([code, parent, stderr], [130, [], ""])
})

each("SIGTERM to the parent is passed on, the hooks of the child run, and the parent alerts", "passedOn", (outcome) => {
  const { code, parent, stderr } = outcome
  assert.equal(parent[0]?.severity, "warning")
  assert.match(parent[0]!.body ?? "", /^stopped by SIGTERM after /)
  assert.deepEqual([code, titles(parent), stderr], [
    143,
    ["nightly was interrupted"],
    "epilogue: SIGTERM: interrupting; another signal quits at once\ninterrupted, and the hook has run\n"
  ])
})

each(
  "a run whose thread is blocked at SIGTERM is told while it blocks, and its end when it stops",
  "deaf",
  (outcome) => {
    const { code, parent, stderr } = outcome
    const deaf = "its process does not respond: it is stopped, or its thread is blocked"
    assert.deepEqual([code, parent.map(({ title }) => title)], [143, ["nightly was interrupted", `nightly: ${deaf}`]])
    const fields = Object.fromEntries(parent[1]!.fields.map(({ name, value }) => [name, value]))
    assert.equal(fields["signal"], "SIGTERM")
    assert.match(fields["step"]!, /^load \(\d+(\.\d)? s\)$/)
    assert.ok(stderr.includes(`epilogue: SIGTERM: ${deaf}\n`), stderr)
  }
)

each(
  "the second Ctrl-C kills the child, and prints the steps that it cuts off",
  "twice",
  ({ code, parent, stderr }) => {
    assert.deepEqual([code, parent], [130, []])
    assert.match(stderr, /\nepilogue: quit at once; cut off: nightly › load \((\d+ ms|\d+(\.\d)? s)\)\n$/)
  }
)

each("a child whose parent is killed finishes its run", "orphaned", ({ child, parent, signal }) => {
  assert.equal(signal, "SIGKILL")
  assert.deepEqual(titles(child), ["nightly › load succeeded"])
  assert.deepEqual(parent, [])
}, { until: ({ requests }) => requests.length > 0 })

each("Ctrl-C gives up posting to a channel that hangs", "between", ({ code, parent, stderr }) => {
  assert.equal(code, 1)
  assert.deepEqual(titles(parent), ["nightly crashed"])
  assert.match(stderr, /\nepilogue: alert not delivered: nightly crashed: [a-z]+: given up before it was posted\n$/)
}, {
  onPost: (pid) => {
    // now and then a busy Bun does not hear the first one
    const press = () => {
      try {
        process.kill(pid, "SIGINT")
      } catch {
        clearInterval(pressing)
      }
    }
    const pressing = setInterval(press, 2_000)
    press()
    return "hang"
  }
})

each("an alert that the channel refuses is printed with the reason", "between", ({ code, stderr }) => {
  assert.equal(code, 1)
  assert.match(
    stderr,
    /\nepilogue: alert not delivered: nightly crashed: webhook: the credentials were not accepted/
  )
}, { on: ["bun"], onPost: () => ({ status: 403 }) })

each("a runtime that does not exist is reported, and exits with 2", "succeeds", ({ code, stderr }) => {
  assert.deepEqual([code, stderr], [2, "/no-such-runtime could not be started: ENOENT\n"])
}, { env: { MISSING: "/no-such-runtime" } })
