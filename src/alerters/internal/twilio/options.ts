/** Describes the channel of Twilio in the config file. */
import * as Schema from "effect/Schema"
import * as Twilio from "../../Twilio.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { either, list, optional, required } from "../channel/schema/structure.ts"
import { mostSegments, numbersIn } from "./message.ts"

type To = Twilio.TwilioOptions["to"]

// https://www.twilio.com/docs/glossary/what-e164
const isNumber = (text: string): boolean => /^\+[1-9]\d{1,14}$/.test(text)

// without quotes, YAML would read a number
const aNumber = "a phone number in quotes, as in \"+15558675310\""

const numbers = Leaf.leaf<ReadonlyArray<string>>({
  expected: `${aNumber}, or several with spaces or commas between them`,
  json: Schema.String,
  parse: (input) => {
    const found = typeof input === "string" ? numbersIn(input) : []
    return found.length > 0 && found.every(isNumber) ? found : undefined
  }
})

/** Adds the `+` that Apprise lets be left out. A short code, of few digits, has none. */
const international = (number: string): string => /^\d{7,15}$/.test(number) ? `+${number}` : number

/** @internal */
export const twilio = fileChannel<Twilio.TwilioOptions>({
  description: "Short messages (SMS) of Twilio",
  variables: {
    accountSid: "TWILIO_ACCOUNT_SID",
    authToken: "TWILIO_AUTH_TOKEN",
    from: "TWILIO_FROM",
    to: "TWILIO_TO"
  },
  optionalVariables: { apiKey: "TWILIO_API_KEY" },
  keys: {
    accountSid: required(
      Leaf.text("the SID of an account, which begins with AC", (text) => /^AC\w{1,64}$/.test(text)),
      "The SID of the account."
    ),
    authToken: required(Leaf.token("a token"), "The token of the account, or the secret of `apiKey`."),
    apiKey: optional(
      Leaf.text("the SID of an API key, which begins with SK", (text) => /^SK\w{1,64}$/.test(text)),
      "The SID of an API key, whose secret is `authToken`."
    ),
    from: required(
      Leaf.text("a phone number in quotes, the name of a sender, or the SID of a messaging service"),
      "The number or name that sends, or the SID of a messaging service."
    ),
    to: required(
      either(numbers, list(Leaf.text(aNumber, isNumber), 1), (found): To => found, Array.isArray),
      "The numbers that get each alert."
    ),
    maxSegments: optional(
      Leaf.whole(1, mostSegments),
      "How many segments a message has at most, each of which costs. 3 unless set: about 450 characters."
    ),
    baseUrl: optional(Leaf.baseUrl, "The address of the API. `https://api.twilio.com` unless set."),
    ...sending
  },
  layer: Twilio.layer,
  // https://github.com/caronc/apprise/wiki/Notify_twilio
  urls: [{
    schemes: ["twilio"],
    form: "twilio://ACCOUNT_SID:AUTH_TOKEN@FROM/TO",
    parameters: ["apikey", "method"],
    read: ({ host, password, path, query: { apikey, method }, user }) =>
      path.length === 0 || (method !== undefined && method !== "sms") ? undefined : {
        accountSid: user,
        authToken: password,
        from: international(host),
        to: path.map(international),
        ...(apikey === undefined ? {} : { apiKey: apikey })
      }
  }]
})
