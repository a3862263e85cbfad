/** What all candidates of bench/durable-peers.ts share: the work of the steps, and how the time is taken. */
import process from "node:process"

const { env } = process

/** The steps of a run, of which one in ten fails, however often it is tried. */
export const steps = Number(env.STEPS ?? 200)
/** How often a step is tried again. */
export const retries = 2
/** Where alerts are posted. */
export const url = env.HOOK_URL

/** The work of a step. */
export const body = async (index) => {
  if (index % 10 === 9) throw new Error(`step-${index} broke`)
  return index
}

let succeeded = 0
/** The work of the hook of a step that has succeeded. */
export const success = () => {
  succeeded++
}

/** Posts an alert by hand, and tries again a few times. */
export const post = async (run, index, error) => {
  for (let attempt = 1;; attempt++) {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": `${run}/${index}` },
        body: JSON.stringify({ run, step: index, text: `step-${index} failed: ${error?.message ?? error}` }),
        signal: AbortSignal.timeout(10_000)
      })
      if (!response.ok) throw new Error(`status ${response.status}`)
      await response.arrayBuffer()
      return
    } catch (cause) {
      if (attempt === 4) throw cause
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt))
    }
  }
}

/** Executes a run to warm up, times another one, and prints what it took. */
export const main = async (run, close = () => {}) => {
  await run(`${env.RUN}-warm`)
  succeeded = 0
  const started = performance.now()
  const cpu = process.cpuUsage()
  await run(env.RUN)
  const micros = Math.round((performance.now() - started) * 1000 / steps)
  const { system, user } = process.cpuUsage(cpu)
  await close()
  console.log(JSON.stringify({ micros, cpu: Math.round((system + user) / steps), succeeded }))
  process.exit(0)
}
