/** Receives OTLP over HTTP on 127.0.0.1, and returns the spans and metrics that were sent. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { channelServer, type Received } from "./channelServer.ts"

export interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  /** The status code: 1 is OK, 2 is an error. */
  readonly status: number
}

export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  /** The value of a gauge or sum; of a histogram, its number of measurements. */
  readonly value: number
}

export interface OtlpReceiver {
  readonly url: string
  readonly paths: () => ReadonlyArray<string>
  readonly spans: () => ReadonlyArray<Span>
  /** The unit and points of a metric in the last request that contains it. */
  readonly metric: (name: string) => { readonly unit: string; readonly points: ReadonlyArray<Point> } | undefined
}

export const otlpReceiver: Effect.Effect<OtlpReceiver, never, Scope.Scope> = Effect.map(
  channelServer({ body: {} }),
  ({ requests, url }) => ({
    url,
    paths: () => [...new Set(requests.map(({ path }) => path))].toSorted(),
    spans: () => requests.filter(({ path }) => path === "/v1/traces").flatMap(spansIn),
    metric: (name) => {
      for (const { json } of requests.filter(({ path }) => path === "/v1/metrics").toReversed()) {
        for (const scope of json.resourceMetrics.flatMap((resource: Json) => resource.scopeMetrics)) {
          const found = scope.metrics.find((metric: Json) => metric.name === name)
          if (found !== undefined) return { unit: found.unit, points: pointsOf(found) }
        }
      }
      return undefined
    }
  })
)

// oxlint-disable-next-line no-explicit-any -- JSON whose form the OTLP specification fixes
type Json = any

const spansIn = ({ json }: Received): ReadonlyArray<Span> =>
  json.resourceSpans.flatMap((resource: Json) => resource.scopeSpans).flatMap((scope: Json) => scope.spans).map(
    ({ attributes, name, parentSpanId, spanId, status, traceId }: Json) => ({
      name,
      traceId,
      spanId,
      parentSpanId,
      attributes: valuesOf(attributes),
      status: status.code
    })
  )

const pointsOf = ({ gauge, histogram, sum }: Json): ReadonlyArray<Point> =>
  (sum ?? gauge ?? histogram).dataPoints.map(({ asDouble, asInt, attributes, count }: Json) => ({
    attributes: valuesOf(attributes),
    value: Number(count ?? asDouble ?? asInt)
  }))

const valuesOf = (attributes: ReadonlyArray<Json>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** Formats spans as one line each, indented below their parents. */
export const treeOf = (spans: ReadonlyArray<Span>): ReadonlyArray<string> => {
  const below = (parent: string | undefined, indent: string): ReadonlyArray<string> =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent).flatMap(({ name, spanId, status }) => [
      `${indent}${name}${status === 2 ? " (failed)" : ""}`,
      ...below(spanId, `${indent}  `)
    ])
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const roots = new Set(spans.map(({ parentSpanId }) => parentSpanId).filter((id) => id === undefined || !ids.has(id)))
  return [...roots].flatMap((root) => below(root, ""))
}
