/** Tests the tree on a real terminal, on each runtime. Run by `scripts/terminal.ts`. */
import { expect, test } from "bun:test"
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { width } from "../../src/internal/text/columns.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"
import { commands, inTerminal } from "../support/tmux.ts"

const script = "test/support/progressScript.ts"

/** Replaces times and spinners, which differ from frame to frame, and the ids of fibers. */
const steady = (text: string): ReadonlyArray<string> =>
  text.replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, "⠋").replace(/\(#\d+\)/g, "(#n)").replace(/\b\d+(\.\d+)? (ms|s)\b/g, "n s").split("\n")

const count = (text: string, part: string): number => text.split(part).length - 1

for (const [runtime, command] of Object.entries(commands)) {
  test(`${runtime}: the example shows its tree while it runs and after its end`, async () => {
    await inTerminal(`${command} examples/progress.ts`, { columns: 100, rows: 30 }, async (pane) => {
      const waiting = await pane.shows(/again in/)
      expect(waiting).toContain(" attempt 1 failed, again in 0.")
      expect(pane.isCursorVisible()).toBe(false)
      const bar = await pane.shows(/[█]+░+ {2}\d+% {2}[\d,]+\/4,400 {2}[\d.]+K\/s {2}\d s left/)
      // logs stay above the tree
      expect(steady(bar).map((line) => line.replace(/^\[.*?\] /, "").replace(/check.*/, "check"))).toEqual([
        "INFO (#n): fetched weather.csv",
        "INFO (#n): fetched sensors.csv",
        "INFO (#n): fetched stations.csv",
        "⠋ weather (n s, 1 running, 4 done)",
        "├─ ✓ load (n s)",
        "│  ├─ ✓ fetch[weather.csv] (n s)  bytes=21700",
        "│  ├─ ✓ fetch[stations.csv] (n s, 2 attempts)  bytes=12400",
        "│  └─ ✓ fetch[sensors.csv] (n s)  bytes=34100",
        "└─ ⠋ check"
      ])
      await pane.shows(/└─ . hook "refresh the cache" \(success, \d\.\d s\)/)
      const ended = await pane.shows(/# code/)
      expect(pane.isCursorVisible()).toBe(true)
      expect(steady(ended).slice(-9)).toEqual([
        "✓ weather (n s, 6 steps, 1 hook failed)",
        "├─ ✓ load (n s)",
        "│  ├─ ✓ fetch[weather.csv] (n s)  bytes=21700",
        "│  ├─ ✓ fetch[stations.csv] (n s, 2 attempts)  bytes=12400",
        "│  └─ ✓ fetch[sensors.csv] (n s)  bytes=34100",
        "├─ ✓ check (n s)  rows=4400",
        "└─ ✓ publish (n s)",
        "   └─ ! hook \"page\" (success, failed after n s): nobody is on call",
        "# code 0"
      ])
      expect(ended).toContain("hook \"page\" (success) of \"publish\" failed")
    })
  }, 60_000)

  test(`${runtime}: all output appears above the tree, and the streams are restored`, async () => {
    await inTerminal(`${command} ${script} output`, { columns: 80, rows: 30 }, async (pane) => {
      const tree = ["⠋ etl (n s, 1 running)", "└─ ⠋ step 1 (n s)"]
      await pane.shows(/etl \([1-9]\d*\.\d s/)
      const lines = steady(pane.shown()).map((line) => line.replace(/^\[.*\)/, "[…]"))
      expect(lines).toEqual([
        "written to stdout",
        "written to stderr",
        ...(runtime === "bun" ? ["logged {", "  a: 1,", "}"] : ["logged { a: 1 }"]),
        "logged as an error",
        "[…]: logged by effect",
        ...tree
      ])
      const ended = await pane.shows(/# code/)
      expect(steady(ended).slice(-4)).toEqual([
        "✓ etl (n s, 1 step)",
        "└─ ✓ step 1 (n s)",
        "# restored",
        "# code 0"
      ])
    })
  }, 60_000)

  test(`${runtime}: Ctrl-Z restores the cursor, and the tree goes on below the shell's text`, async () => {
    const shell = `bash --norc -i -c 'set -m; PS1=; ${command} ${script} wait 1; echo stopped; sleep 0.5; fg'`
    await inTerminal(shell, { columns: 80, rows: 20 }, async (pane) => {
      await pane.shows(/step 1 \([1-9]\d*\.\d s/)
      expect(pane.isCursorVisible()).toBe(false)
      pane.send("C-z")
      await pane.shows(/^stopped$/m)
      expect(pane.isCursorVisible()).toBe(true)
      await pane.shows(/^stopped$[^]*└─ . step 1/m)
      expect(pane.isCursorVisible()).toBe(false)
      pane.send("C-c")
      await pane.shows(/# code/)
      expect(pane.isCursorVisible()).toBe(true)
    })
  }, 60_000)

  test(`${runtime}: SIGQUIT restores the cursor`, async () => {
    await inTerminal(`ulimit -c 0; ${command} ${script} wait 1`, { columns: 80, rows: 20 }, async (pane) => {
      await pane.shows(/step 1 \([1-9]\d*\.\d s/)
      expect(pane.isCursorVisible()).toBe(false)
      pane.send("C-\\")
      await pane.shows(/# code/)
      expect(pane.isCursorVisible()).toBe(true)
    })
  }, 60_000)

  test(`${runtime}: a resized window shows the tree once`, async () => {
    await inTerminal(`echo above; ${command} ${script} wait 3`, { columns: 60, rows: 12 }, async (pane) => {
      await pane.shows(/step 3/)
      for (const [columns, rows] of [[20, 12], [14, 10], [90, 20]] as const) {
        pane.resize(columns, rows)
        await new Promise((resolve) => setTimeout(resolve, 400))
        const text = pane.shown()
        // tmux wraps lines that have become too long, and so pushes the lines above off the screen
        expect(text.split("\n").slice(-4).map((line) => line[0])).toEqual([expect.any(String), "├", "├", "└"])
        expect(count(text, "etl")).toBe(1)
        expect(count(pane.all(), "above")).toBe(1)
      }
      pane.resize(60, 4)
      await new Promise((resolve) => setTimeout(resolve, 400))
      expect(pane.shown().split("\n").length).toBeLessThanOrEqual(4)
      expect(count(pane.shown(), "etl")).toBeLessThanOrEqual(2)
    })
  }, 60_000)

  test(`${runtime}: Ctrl-C without other listeners ends the process and restores the cursor`, async () => {
    await inTerminal(`${command} ${script} wait`, { columns: 60, rows: 12 }, async (pane) => {
      await pane.shows(/step 1 \((?:0\.[2-9]|[1-9])/)
      expect(pane.isCursorVisible()).toBe(false)
      pane.send("C-c")
      const ended = await pane.shows(/# code/)
      expect(ended).toContain("# code 130")
      expect(pane.isCursorVisible()).toBe(true)
      expect(count(ended, "step 1")).toBe(1)
    })
  }, 60_000)

  test(`${runtime}: epilogue run shows a tree until its end, and until Ctrl-C`, async () => {
    const epilogue = `${command} src/cli/main.ts run test/cli/fixtures/pipelines.ts`
    await inTerminal(`${epilogue}#failing`, { columns: 100, rows: 30 }, async (pane) => {
      const ended = steady(await pane.shows(/# code/))
      expect(ended[0]).toContain("ERROR (#")
      expect(ended.slice(-6)).toEqual([
        "✗ failing (n s, 2 steps, 1 hook failed)",
        "├─ ✓ first (n s)",
        "└─ ✗ second (n s, 2 attempts): RangeError: no such row",
        "   └─ ! hook \"onFailure\" (failure, failed after n s): the hook broke",
        "failing failed: RangeError: no such row",
        "# code 1"
      ])
      expect(pane.isCursorVisible()).toBe(true)
    })
    await inTerminal(`${epilogue}#slow`, { columns: 100, rows: 30 }, async (pane) => {
      const running = await pane.shows(/wait \((?:0\.[2-9]|[1-9])/)
      expect(steady(running)).toEqual(["waiting", "⠋ slow (n s, 1 running)", "└─ ⠋ wait (n s)"])
      expect(pane.isCursorVisible()).toBe(false)
      pane.send("C-c")
      expect(steady(await pane.shows(/# code/))).toEqual([
        "waiting",
        "interrupting slow; press Ctrl-C again to quit at once",
        "cleaned up",
        "■ slow (n s, 1 step): interrupted",
        "└─ ■ wait (n s): interrupted",
        "# code 130"
      ])
      expect(pane.isCursorVisible()).toBe(true)
    })
  }, 60_000)

  test(`${runtime}: output through a pipe has lines and no tree`, async () => {
    await inTerminal(`${command} examples/progress.ts 2>&1 | cat`, { columns: 100, rows: 40 }, async (pane) => {
      const ended = await pane.shows(/# code/)
      expect(ended).toContain("▶ weather (run weather-")
      expect(ended).toContain("  ✓ load > fetch[weather.csv] (")
    })
  }, 60_000)
}

test("deno prompts for no permission to read variables", async () => {
  await inTerminal(`deno run --allow-read ${script} end`, { columns: 60, rows: 10 }, async (pane) => {
    const ended = await pane.shows(/# code|Allow\?/)
    expect(ended).toContain("# restored")
  })
}, 60_000)

test("a thousand running steps fit on a small screen", async () => {
  await inTerminal(`bun ${script} listen 1000`, { columns: 60, rows: 10 }, async (pane) => {
    const text = await pane.shows(/1,000 running/)
    expect(text.split("\n").length).toBeLessThan(10)
    expect(steady(text).at(-1)).toBe("… and 994 running")
    pane.send("C-c")
    const ended = await pane.shows(/# code/)
    expect(ended).toContain("# restored")
  })
}, 60_000)

for (const [kind, flag] of [["a run", "--no-supervise"], ["a supervised run", "--supervise"]] as const) {
  test(`of 200 steps of ${kind}, those that failed and that run are shown, at any width`, async () => {
    const command = `bun src/cli/main.ts run test/cli/fixtures/many.ts#many ${flag}`
    await inTerminal(command, { columns: 80, rows: 24 }, async (pane) => {
      await pane.shows(/8 running, 189 done, 4 failed[^]*… and/)
      const widths = [[40, /157 .{15,26}…$/], [200, /157 .*SQLSTATE 42501$/], [80, /157 .{45,66}…$/]] as const
      for (const [columns, reason] of widths) {
        pane.resize(columns, 24)
        // drawn anew in this width
        const text = await pane.shows(new RegExp(`✗ fetch ${reason.source}[^]*^… and \\d+ done$`, "m"))
        const tree = text.split("\n").slice(text.split("\n").findIndex((line) => / many /.test(line)))
        expect(tree.length).toBeLessThanOrEqual(22)
        expect(tree.every((line) => width(line) < columns)).toBe(true)
        expect(tree.filter((line) => line.includes("✗ fetch")).length).toBe(4)
        expect(tree.filter((line) => /─ [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] fetch/.test(line)).length).toBe(8)
        expect(count(text, "SQLSTATE 42501")).toBe(columns === 200 ? 4 : 0)
      }
      pane.send("C-c")
      await pane.shows(/# code 130/)
      expect(pane.isCursorVisible()).toBe(true)
      const all = pane.all()
      // in the end, no reason is cut off
      expect(
        count(all.slice(all.lastIndexOf(" many (")).replace(/\s+(?:│ +)?/g, " "), "(role etl_reader), SQLSTATE 42501")
      ).toBe(4)
      if (flag === "--supervise") {
        // of a process that inherits the streams of the run, above the tree
        const lines = all.split("\n")
        const begin = lines.findIndex((line) => line.includes(" many ("))
        expect(lines.slice(0, begin)).toContain("compiled")
        expect(lines.slice(0, begin)).toContain("one warning")
      }
    })
  }, 60_000)
}

test("a supervised run whose process is killed leaves its steps and the terminal right", async () => {
  const command = "bun src/cli/main.ts run test/cli/fixtures/many.ts#killed --supervise"
  await inTerminal(command, { columns: 80, rows: 24 }, async (pane) => {
    const ended = await pane.shows(/# code 1/)
    expect(pane.isCursorVisible()).toBe(true)
    expect(steady(ended).slice(0, 3)).toEqual(["eating", "⠋ killed (n s, 1 running)", "└─ ⠋ eat (n s)"])
    // no frame stays in the history when text is printed above the tree
    expect(count(pane.all(), "⠋ killed (") + count(pane.all(), "eat (")).toBeLessThanOrEqual(2)
    expect(ended).toContain("killed by SIGKILL")
  })
}, 60_000)

test("the terminal gives text as many columns as it is measured to have", async () => {
  const texts = [
    "abc",
    "naïve",
    "nai\u0308ve",
    "o\u0308\u0301",
    "日本",
    "한국",
    "\u1112\u1161\u11ab",
    "ＡＢ",
    "か\u3099",
    "😀",
    "✅",
    "❤",
    "🇩🇪",
    "🇩🇪🇫🇷",
    "🏴\u{e0067}\u{e0062}\u{e007f}",
    "🀄🀰🂡",
    "✓✗■▶⊘↻⠋…",
    "│└─█░",
    "नमस्ते",
    "নি",
    "நி",
    "ខ្មែរ",
    "ที่นี่",
    "שָׁלוֹם",
    "مُحَمَّد",
    "𗀀"
  ]
  const args = texts.map((text) => `'${text}'`).join(" ")
  await inTerminal(`bun test/support/columnsScript.ts ${args}`, { columns: 100, rows: 10 }, async (pane) => {
    const ended = await pane.shows(/# code/)
    const measured = /columns: ([\d ]+)/.exec(ended)?.[1]?.trim().split(" ").map(Number)
    expect(texts.map((text, i) => [text, measured?.[i]])).toEqual(texts.map((text) => [text, width(text)]))
  })
}, 60_000)

test("bun: runs --watch keeps its table up to date in place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "epilogue-watch-"))
  try {
    const file = writeRecord(folder, { id: "a", lines: [] })
    await inTerminal(`bun src/cli/main.ts runs --watch --folder ${folder}`, { columns: 80, rows: 20 }, async (pane) => {
      await pane.shows(/running +nightly/)
      appendFileSync(file, `${JSON.stringify(ended("failure", 83))}\n`)
      writeRecord(folder, { id: "b", at: start + 1_000, lines: [ended("success", 83, start + 1_000)] })
      const text = await pane.shows(/success +nightly[^]*failure +nightly/)
      expect(text.split("\n").map((line) => line.slice(0, 30).trimEnd())).toEqual([
        "RUN       STATUS     PIPELINE",
        "bbbbbbbb  ✓ success  nightly",
        "aaaaaaaa  ✗ failure  nightly"
      ])
      expect(pane.isCursorVisible()).toBe(true)
      pane.send("C-c")
      await pane.shows(/# code 130/)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)
