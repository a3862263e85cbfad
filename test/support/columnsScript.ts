/** Prints each of its arguments at the start of a line, and at the end how many columns the terminal gave to each. */
import process from "node:process"

// or the terminal's answers would be echoed, and held back until a line ends
process.stdin.setRawMode(true)

const columns: Array<number> = []
let answers = ""
process.stdin.on("data", (chunk) => {
  answers += String(chunk)
  // oxlint-disable-next-line no-control-regex -- the answer to DSR 6, the report of the cursor's position
  const answer = /\u001b\[\d+;(\d+)R/.exec(answers)
  if (answer === null) return
  answers = ""
  columns.push(Number(answer[1]) - 1)
  next()
})

const next = (): void => {
  const text = process.argv[2 + columns.length]
  if (text !== undefined) return void process.stdout.write(`\r\u001b[2K${text}\u001b[6n`)
  process.stdout.write(`\r\u001b[2Kcolumns: ${columns.join(" ")}\n`)
  process.exit(0)
}
next()
