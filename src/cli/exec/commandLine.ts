/** Shows a command line without the secrets in it. */
import { basename } from "node:path"
import { fitEnd, oneLine } from "../../internal/text/fit.ts"

/** A command line that people may see, and what of it they may not. */
export interface Shown {
  readonly text: string
  /** Texts that the command may repeat in its output. */
  readonly secrets: ReadonlyArray<string>
}

/** The longest command line that is shown, in UTF-16 code units. */
const maxLength = 500

const redacted = "<redacted>"

/** The words in the names of options and of variables whose values are secret. */
const secretName =
  /pass(?!ive|ing|thr|ed\b)|(?:^|[^a-z])(?:pw|pwd)(?:$|[^a-z])|secret|token|credential|api[-_]?key|(?:access|private|signing|encryption|account|auth)[-_]?key|(?:^|[-_])auth(?:$|[-_])|authorization|bearer|dsn|webhook|connection[-_]?string/i

/** The names of options that say where a secret is, and not what it is. */
const placeName = /[-_]?(?:file|path|dir|url|fd|env|name|id|type|store|helper|sock|stdin|command|prompt)$/i

const isSecretName = (name: string): boolean => secretName.test(name) && !placeName.test(name)

/** The names of headers with a secret in them, as `curl` takes them. */
const secretHeader = /^(?:proxy-)?authorization$|cookie$|-key$|apikey$|token|secret|^x-.{0,64}auth/i

/** Options that take `user:password`: of `curl` and `wget`. */
const userOptions: ReadonlySet<string> = new Set(["-u", "--user", "-U", "--proxy-user"])

/** Programs whose option `-p` has the password right after it. */
const passwordAfterP = /^(?:mysql|mariadb|mysqldump|mysqladmin|mariadb-dump|mariadb-admin|sshpass|7z|7za|zip|unzip)/

/** Shows a command and its arguments, as one would type them. */
export const shownCommand = (command: string, args: ReadonlyArray<string>): Shown => {
  const secrets: Array<string> = []
  const hide = (value: string): string => {
    secrets.push(value)
    return redacted
  }
  const program = basename(command)
  const shown: Array<string> = []
  let before = ""
  for (const arg of args) {
    shown.push(argument(arg, before, passwordAfterP.test(program), hide))
    before = arg
  }
  const text = [command, ...shown].map(quoted).join(" ")
  return { text: fitEnd(oneLine(text), maxLength), secrets }
}

const argument = (arg: string, before: string, hasPassword: boolean, hide: (value: string) => string): string => {
  // `--password VALUE`, and not `--password --verbose`
  if (/^--?[\w-]+$/.test(before) && isSecretName(before) && !arg.startsWith("-")) return hide(arg)
  if (userOptions.has(before)) return afterColon(arg, hide)
  const pair = /^(--?[\w.-]+|[A-Za-z_][\w.-]*)=(.+)$/s.exec(arg)
  if (pair !== null) {
    const [, name = "", value = ""] = pair
    if (isSecretName(name)) {
      // of a script that begins with a variable, what comes after the value is hidden, too
      const [first = ""] = value.split(/\s/)
      if (first !== value) hide(first)
      return `${name}=${hide(value)}`
    }
    if (userOptions.has(name)) return `${name}=${afterColon(value, hide)}`
    return `${name}=${inText(value, hide)}`
  }
  if (hasPassword && /^-p.+$/.test(arg)) return `-p${hide(arg.slice(2))}`
  return inText(arg, hide)
}

const afterColon = (value: string, hide: (value: string) => string): string => {
  const colon = value.indexOf(":")
  return colon < 0 || colon === value.length - 1 ? value : `${value.slice(0, colon + 1)}${hide(value.slice(colon + 1))}`
}

/** Hides the secrets in an argument that says by its own form what it is. */
const inText = (text: string, hide: (value: string) => string): string => {
  const [header = "", name = ""] = /^([\w-]{1,64}):\s{0,8}/.exec(text) ?? []
  if (secretHeader.test(name)) {
    const value = text.slice(header.length)
    const scheme = /^(?:basic|bearer|token)\s{1,8}/i.exec(value)?.[0] ?? ""
    return `${header}${scheme}${hide(value.slice(scheme.length))}`
  }
  return pairsIn(text.replace(/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s'"<>]+/gi, (url) => withoutSecrets(url, hide)), hide)
}

/** Hides the values of `password=…` in connection strings of databases, in scripts and in JSON. */
const pairsIn = (text: string, hide: (value: string) => string): string =>
  text.replace(
    /([\w-]{1,64})("?\s{0,4}[=:]\s{0,4})('[^']*'|"[^"]*"|[^\s;&,'"]+)/g,
    (whole, name: string, sign, value) =>
      isSecretName(name) && value !== redacted && !/^["']?\$/.test(value)
        ? `${name}${sign}${hide(value.replace(/^(['"])(.*)\1$/s, "$2"))}`
        : whole
  )

/** The length from which a part of a path may be a key that opens an address, as in those of webhooks. */
const keyLength = 16

/** Hides the password of an address, the values of its query, and the parts of its path that look like keys. */
const withoutSecrets = (url: string, hide: (value: string) => string): string => {
  // by hand, since a URL is written anew when it is parsed, and that of a database may be none
  const [, scheme = "", after = ""] = /^([^:]+:\/\/)(.*)$/s.exec(url) ?? []
  // a password may have a `/`, `?` or `#` in it, though it should be percent-encoded
  const at = after.search(/[/?#]/) < 0 || /^[^/?#@]*[@:]/.test(after) ? after.lastIndexOf("@") : -1
  const end = after.slice(at + 1).search(/[/?#]/)
  const host = end < 0 ? after.slice(at + 1) : after.slice(at + 1, at + 1 + end)
  const rest = end < 0 ? "" : after.slice(at + 1 + end)
  const user = after.slice(0, Math.max(0, at))
  const colon = user.indexOf(":")
  const login = at < 0 ? "" : colon < 0
    // a token alone, as git has it
    ? `${user.length >= keyLength ? hide(user) : user}@`
    : `${user.slice(0, colon + 1)}${hide(user.slice(colon + 1))}@`
  const [path = "", ...query] = rest.split(/(?=[?#])/)
  const parts = path.split("/").map((part) => isKey(part) ? hide(part) : part).join("/")
  const values = query.join("").split(/(?=[?&#])/).map((pair) => {
    const equals = pair.indexOf("=")
    const [name, value] = [pair.slice(1, equals), pair.slice(equals + 1)]
    const isSecret = isSecretName(name) || /^(?:sig|signature|key|code|x-amz-[\w-]+)$/i.test(name) || isKey(value)
    return equals > 1 && value !== "" && isSecret ? `${pair.slice(0, equals + 1)}${hide(value)}` : pair
  }).join("")
  return `${scheme}${login}${host}${parts}${values}`
}

const isKey = (part: string): boolean =>
  part.length >= keyLength && /\d/.test(part) && /[a-z]/i.test(part) && !/[._]/.test(part)

/** Writes an argument as a shell takes it. */
const quoted = (arg: string): string => /^[\w@%+=:,./<>-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`

// -----------------------------------------------------------------------------
// the environment
// -----------------------------------------------------------------------------

/** Values that stand in many a text. */
const common = /^(?:true|false|yes|no|none|null|on|off|\d{1,6})$/i

/** Returns the values of variables that look like secrets: by the name, or as an address with a password. */
export const secretsIn = (env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> =>
  Object.entries(env).flatMap(([name, value = ""]) => {
    if (common.test(value.trim())) return []
    // a path to a secret is none
    if (isSecretName(name)) return /^(?:\/|~\/|\.\/)/.test(value) ? [] : [value]
    const found: Array<string> = []
    if (value.length < 10_000) inText(value, (secret) => (found.push(secret), redacted))
    return found
  })
