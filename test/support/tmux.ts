/** Runs programs in a real terminal, by tmux: reads its screen and sends keys. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./command.ts"

export const isInstalled = (): boolean => {
  try {
    execFileSync("tmux", ["-V"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

export const commands = {
  bun: "bun",
  deno: "deno run -A",
  node: "node --conditions=@effect-epilogue/source"
} as const

export interface Pane {
  /** Returns the present screen, without empty lines at the end. */
  readonly shown: () => string
  /** Returns the present screen with the escape sequences of its colours. */
  readonly styled: () => string
  /** Returns the present screen and the lines scrolled off it. */
  readonly all: () => string
  /** Waits until the screen matches, and returns it. Throws after 20 seconds. */
  readonly shows: (what: RegExp) => Promise<string>
  readonly isCursorVisible: () => boolean
  readonly resize: (columns: number, rows: number) => void
  readonly send: (...keys: ReadonlyArray<string>) => void
}

/** Runs a command line in a new terminal. When the command has ended, the terminal shows `# code` and its exit code. */
export const inTerminal = async (
  command: string,
  size: { readonly columns: number; readonly rows: number },
  use: (pane: Pane) => Promise<void>
): Promise<void> => {
  // a tmux server of its own, so that it shares nothing with one that the user runs
  const folder = mkdtempSync(join(tmpdir(), "epilogue-tmux-"))
  const tmux = (...args: ReadonlyArray<string>): string =>
    // `-u`: writes UTF-8 whatever the locale
    execFileSync("tmux", ["-u", "-S", join(folder, "socket"), "-f", "/dev/null", ...args], {
      encoding: "utf8",
      env: environment
    })
  const shown = () => tmux("capture-pane", "-p").trimEnd()
  tmux(
    "new-session",
    "-d",
    "-x",
    String(size.columns),
    "-y",
    String(size.rows),
    // the trap keeps Ctrl-C from ending the shell together with the command
    `cd '${root}'; trap : INT; ${command}; echo "# code $?"; exec sleep 600`
  )
  try {
    await use({
      shown,
      styled: () => tmux("capture-pane", "-p", "-e").trimEnd(),
      all: () => tmux("capture-pane", "-p", "-S", "-").trimEnd(),
      shows: async (what) => {
        for (const end = Date.now() + 20_000; Date.now() < end;) {
          const text = shown()
          if (what.test(text)) return text
          await new Promise((resolve) => setTimeout(resolve, 30))
        }
        throw new Error(`the terminal does not show ${what}:\n${shown()}`)
      },
      isCursorVisible: () => tmux("display-message", "-p", "#{cursor_flag}").trim() === "1",
      resize: (columns, rows) => void tmux("resize-window", "-x", String(columns), "-y", String(rows)),
      send: (...keys) => void tmux("send-keys", ...keys)
    })
  } finally {
    tmux("kill-server")
    rmSync(folder, { recursive: true, force: true })
  }
}

// these variables describe the terminal or CI around the tests, not the terminal that is started here
const { CI: _, FORCE_COLOR: _1, GITHUB_ACTIONS: _2, NO_COLOR: _3, TMUX: _4, ...rest } = process.env
const environment = {
  ...rest,
  LC_ALL: "C.UTF-8",
  PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(":")
}
