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

const isSecretName = (name: string): boolean =>
  // the address of a webhook is a secret itself
  secretName.test(name) && (!placeName.test(name) || /webhook[-_]?ur[li]$/i.test(name))

/** The names of headers with a secret in them, as `curl` takes them. */
const secretHeader = /^(?:proxy-)?authorization$|cookie$|-key$|apikey$|token|secret|^x-.{0,64}auth/i

/** Options that take `user:password`: of `curl` and `wget`. */
const userOptions: ReadonlySet<string> = new Set(["-u", "--user", "-U", "--proxy-user"])

/** An option of some programs that has a password. */
interface Rule {
  /** The names of the programs, or of a subcommand such as `login`. */
  readonly programs: RegExp
  readonly option: string
  /** Whether the value may be the next argument. It may follow the option at once in any case. */
  readonly isApart: boolean
  /** The text after which the password begins. It is the whole value unless set. */
  readonly after?: string
}

const rules: ReadonlyArray<Rule> = [
  { programs: /^(?:mysql\w*|mariadb[\w-]*|7z\w?|rar|unrar)$/, option: "-p", isApart: false },
  { programs: /^rar$/, option: "-hp", isApart: false },
  { programs: /^(?:sshpass|mongo\w*|cqlsh|rabbitmqadmin|login)$/, option: "-p", isApart: true },
  { programs: /^(?:redis|valkey)-cli$/, option: "-a", isApart: true },
  { programs: /^(?:sqlcmd|bcp|osql|isql|zip|unzip|ipmitool|mosquitto_\w+)$/, option: "-P", isApart: true },
  { programs: /^ldap\w+$/, option: "-w", isApart: true },
  { programs: /^curl$/, option: "-u", isApart: false, after: ":" },
  { programs: /^curl$/, option: "-U", isApart: false, after: ":" },
  { programs: /^curl$/, option: "-b", isApart: true, after: "=" },
  { programs: /^curl$/, option: "--cookie", isApart: true, after: "=" },
  { programs: /^(?:smbclient|smbget|rpcclient|net)$/, option: "-U", isApart: true, after: "%" },
  { programs: /^lftp$/, option: "-u", isApart: true, after: "," }
]

/** Programs that are given `user/password@database`. */
const oracle = /^(?:sqlplus|expdp|impdp|sqlldr|rman)$/

type Hide = (value: string) => string

/** Stands for what is hidden while a command line is read, since a shell would read `<redacted>` as a redirection. */
const hidden = "\ue000"

/** Shows a command and its arguments, as one would type them. */
export const shownCommand = (command: string, args: ReadonlyArray<string>): Shown => {
  const secrets: Array<string> = []
  const show = reader((value) => {
    if (value === hidden || value === "") return value
    if (!value.includes(hidden)) secrets.push(value)
    return hidden
  })
  const text = [command, ...args].map((word) => quoted(show(word).replaceAll(hidden, redacted))).join(" ")
  return { text: fitEnd(oneLine(text), maxLength), secrets }
}

/** How many programs before an argument count, as in `sudo -u app timeout 60 mysqldump`. */
const maxPrograms = 20

/** How deep scripts are read that are in the arguments of other scripts. */
const maxDepth = 4

/** Returns a function that shows the words of a command one after another: those before say which ones are secret. */
const reader = (hide: Hide, depth = 0): (word: string) => string => {
  let before = ""
  let programs: ReadonlyArray<string> = []
  return (word) => {
    const shown = argument(word, { before, programs, depth }, hide)
    before = word
    // perhaps the program that another one starts, as `timeout` or `docker exec`
    if (/^[^-\s]\S{0,200}$/.test(word)) programs = [...programs, basename(word)].slice(-maxPrograms)
    return shown
  }
}

/** The place of an argument: the one before it, what may be the program, and how many scripts it is in. */
interface Place {
  readonly before: string
  readonly programs: ReadonlyArray<string>
  readonly depth: number
}

const argument = (arg: string, { before, depth, programs }: Place, hide: Hide): string => {
  // `--password VALUE`, and not `--password --verbose`; and `set aws_secret_access_key VALUE`
  if (/^(?:--?[\w-]+|[a-z]+_\w+)$/.test(before) && isSecretName(before) && !arg.startsWith("-")) return hide(arg)
  for (const { after, isApart, option, programs: of } of rules) {
    const begin = isApart && before === option && !arg.startsWith("-") ? 0 : arg.startsWith(option) ? option.length : -1
    if (begin < 0 || arg.length === begin || !programs.some((program) => of.test(program))) continue
    const at = after === undefined ? begin : arg.indexOf(after, begin) + after.length
    if (at >= begin + (after?.length ?? 0)) return arg.length === at ? arg : arg.slice(0, at) + hide(arg.slice(at))
  }
  if (userOptions.has(before)) return afterColon(arg, hide)
  const [, user, password = "", rest = ""] = programs.some((program) => oracle.test(program))
    ? /^((?:userid=)?[\w$#"]+\/)([^\s@/]+)(@\S*)?$/i.exec(arg) ?? []
    : []
  if (user !== undefined) return user + hide(password) + rest
  const pair = /^(--?[\w.-]+|[A-Za-z_][\w.-]*)=(.+)$/s.exec(arg)
  if (pair !== null) {
    const [, name = "", value = ""] = pair
    if (isSecretName(name)) {
      // of a script that begins with a variable, or of a form, what comes after the value is hidden, too
      const [first = ""] = value.split(/[\s&]/)
      if (first !== value) hide(first)
      return `${name}=${hide(value)}`
    }
    if (userOptions.has(name)) return `${name}=${afterColon(value, hide)}`
    return `${name}=${inText(value, hide, depth)}`
  }
  // a header right after the option of curl
  return /^-H[\w-]{1,64}:/.test(arg) ? `-H${inText(arg.slice(2), hide, depth)}` : inText(arg, hide, depth)
}

/** Hides a password after a user. A group after a user, both as numbers, is none. */
const afterColon = (value: string, hide: Hide): string => {
  const colon = value.indexOf(":")
  return colon < 0 || colon === value.length - 1 || /^\d+:\d+$/.test(value)
    ? value
    : `${value.slice(0, colon + 1)}${hide(value.slice(colon + 1))}`
}

/** The words of a script, what separates commands, and spaces. */
const piecesOfScript = /\s+|[;|&()<>]+|(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\;|&()<>]+|['"\\])+/gs

/** Removes the quotes of a word. */
const unquoted = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_, single: string | undefined, double: string | undefined, escaped: string | undefined) =>
      single ?? double ?? escaped ?? ""
  )

/** Whether a word of a script is what the shell puts in its place. */
const isVariable = (word: string): boolean => /^\$(?:\w+|\{[^{}]*\}|\([^()]*\))$/.test(word)

/** Hides the secrets in a script, whose words are those of commands. */
const script = (text: string, hideWord: Hide, depth: number): string => {
  const hide: Hide = (value) => isVariable(value) ? value : hideWord(value)
  let show = reader(hide, depth)
  return text.replace(piecesOfScript, (piece) => {
    if (/^\s/.test(piece)) return piece
    if (/^[;|&()<>]/.test(piece)) {
      show = reader(hide, depth)
      return piece
    }
    const word = unquoted(piece)
    const shown = show(word)
    if (shown === word) return piece
    const quote = /^['"]/.exec(piece)?.[0] ?? ""
    return quote + shown + quote
  })
}

/** Hides the secrets in an argument that says by its own form what it is. */
const inText = (text: string, hide: Hide, depth: number): string => {
  const [header = "", name = ""] = /^([\w-]{1,64}):\s{0,8}/.exec(text) ?? []
  if (secretHeader.test(name)) {
    const value = text.slice(header.length)
    const scheme = /^(?:basic|bearer|token)\s{1,8}/i.exec(value)?.[0] ?? ""
    return `${header}${scheme}${hide(value.slice(scheme.length))}`
  }
  const read = pairsIn(
    text.replace(/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s'"<>]+/gi, (url) => withoutSecrets(url, hide)),
    hide
  )
  return depth < maxDepth && /\s/.test(text) ? script(read, hide, depth + 1) : read
}

/** Hides the values of `password=…` in connection strings of databases, in scripts and in JSON. */
const pairsIn = (text: string, hide: Hide): string => {
  const pair = (name: string, sign: string, scheme: string, value: string) =>
    /authorization$/i.test(name) ? `${name}${sign}${scheme}${hide(value)}` : `${name}${sign}${hide(scheme + value)}`
  // in two steps: one pattern for both would take recheck, which proves that it is linear, a minute
  return text.replace(
    /([\w-]{1,64})("?\s{0,4}[=:]\s{0,4})((?:basic|bearer|token)\s{1,8})([^\s;&,'"]+)/gi,
    (whole, name: string, sign: string, scheme: string, value: string) =>
      isSecretName(name) && !value.startsWith("$") ? pair(name, sign, scheme, value) : whole
  ).replace(
    /([\w-]{1,64})("?\s{0,4}[=:]\s{0,4})('[^']*'|"[^"]*"|[^\s;&,'"]+)/gi,
    (whole, name: string, sign: string, value: string, at: number, all: string) => {
      const isHidden = value === hidden ||
        (/^(?:basic|bearer|token)$/i.test(value) && all.slice(at + whole.length).trimStart().startsWith(hidden))
      if (!isSecretName(name) || isHidden || /^["']?\$/.test(value)) return whole
      return pair(name, sign, "", value.replace(/^(['"])(.*)\1$/s, "$2"))
    }
  )
}

/** The length from which a part of a path may be a key that opens an address, as in those of webhooks. */
const keyLength = 16

/** Hides the password of an address, the values of its query, and the parts of its path that look like keys. */
const withoutSecrets = (url: string, hide: Hide): string => {
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

/** Whether a part looks like a key: not like the name of a file, which has a dot, or words of one case between lines. */
const isKey = (part: string): boolean =>
  part.length >= keyLength && /\d/.test(part) && /[a-z]/i.test(part) && !part.includes(".") &&
  (!part.includes("_") || (/[a-z]/.test(part) && /[A-Z]/.test(part)))

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
    if (value.length < 10_000) inText(value, (secret) => (found.push(secret), hidden), maxDepth)
    return found
  })
