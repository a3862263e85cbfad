import { DateTime, Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alert } from "../src/index.ts"
import { AlertJson, fromJson, toBriefJson, toJson } from "../src/internal/alerts/json.ts"
import { alertOf, AnyAlert } from "./support/anyAlert.ts"
import { sample } from "./support/channelContract.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const written = Schema.encodeSync(Schema.fromJsonString(AlertJson))
const read = Schema.decodeSync(Schema.fromJsonString(AlertJson))

it.effect("any alert survives encoding to JSON and decoding", () =>
  forAll(AnyAlert, (input) =>
    Effect.sync(() => {
      const posted = alertOf({ ...input, times: { texts: 1, fields: 1 } })
      const alerts = [
        posted,
        sample,
        posted.with({ at: undefined, tags: ["", "\ud83d"], dedupeKey: posted.title, idempotencyKey: posted.title }),
        posted.with({ attachments: [{ name: posted.title, mediaType: "x/y", content: Uint8Array.of(0, 128, 255) }] }),
        posted.with({ url: posted.title, actions: [{ label: posted.title, url: "https://wiki.example/load" }] }),
        posted.with({ at: DateTime.makeUnsafe("+012345-01-02T03:04:05.678Z"), source: sample.source })
      ]
      for (const alert of alerts) assert.deepEqual(fromJson(read(written(toJson(alert)))), alert)
    })))

it.effect("toBriefJson describes attachments without their content, and fromJson drops attachments that are not base64", () =>
  Effect.sync(() => {
    const alert = sample.with({ attachments: [{ name: "a", mediaType: "x/y", content: new Uint8Array(3) }] })
    const attachments = [{ name: "a", mediaType: "x/y", size: 3 }]
    assert.deepEqual(toBriefJson(alert), { ...toJson(sample), attachments })
    assert.deepEqual(toBriefJson(sample), toJson(sample))
    // an attachment that is not base64 is dropped, the alert is kept
    const broken = [{ name: "a", mediaType: "x/y", content: "%" }]
    assert.deepEqual(fromJson({ ...toJson(sample), attachments: broken }), sample)
  }))

it.effect("fromJson drops an invalid time and keeps the alert", () =>
  Effect.sync(() => {
    for (const at of ["", "yesterday", "2026-13-01T00:00:00Z"]) {
      assert.deepEqual(fromJson({ ...toJson(Alert.make("hello")), at }), Alert.make("hello"))
    }
  }))
