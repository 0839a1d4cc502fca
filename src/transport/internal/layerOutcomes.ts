import type { EngineEvent } from "../../engine/EngineStream.ts"
import type { ImageManifest } from "../../image/Manifest.ts"
import type { AttemptEvent } from "../../push/PushEvent.ts"
import type { TransferredBytes } from "../../push/PushedImage.ts"

type LayerStatus = Extract<EngineEvent, { readonly _tag: "LayerStatus" }>

/** What became of a layer. */
export type Outcome = "uploaded" | "existing" | "mounted"

/** An engine's word about a layer, in gantry's; none for what is neither progress nor an outcome. */
export const toAttemptEvent = (status: LayerStatus): AttemptEvent | undefined => {
  const { layer } = status
  switch (status.phase) {
    // Said of each layer before the first one goes: how many there are is known from the start.
    case "preparing":
    case "waiting":
      return { _tag: "LayerProgress", layer, current: 0 }
    case "pushing":
      return status.current === undefined
        ? undefined
        : { _tag: "LayerProgress", layer, current: status.current, total: status.total }
    case "pushed":
      return { _tag: "LayerPushed", layer, outcome: "uploaded" }
    case "exists":
      return { _tag: "LayerPushed", layer, outcome: "existing" }
    case "mounted":
      return { _tag: "LayerPushed", layer, outcome: "mounted", mountedFrom: status.mountedFrom }
    default:
      return undefined
  }
}

/** An engine names a layer by the first 12 digits of its diff id or of its blob: reference/engine.md section 2. */
export const shortId = (digest: string): string => digest.slice(digest.indexOf(":") + 1, digest.indexOf(":") + 13)

/**
 * The manifest's layer sizes, summed by what became of each layer; nothing when any layer's outcome is unknown. A layer
 * that stands in the manifest twice is one blob, and counts once.
 */
export const bytesByOutcome = (
  manifest: ImageManifest,
  diffIds: ReadonlyArray<string>,
  outcomes: ReadonlyMap<string, Outcome>
): TransferredBytes => {
  const sums = { uploaded: 0, existing: 0, mounted: 0 }
  const seen = new Set<string>()
  for (const [index, layer] of manifest.layers.entries()) {
    const blob = String(layer.digest)
    if (seen.has(blob)) continue
    seen.add(blob)
    const outcome = outcomes.get(shortId(blob)) ?? outcomes.get(shortId(diffIds[index] ?? ""))
    if (outcome === undefined) return {}
    sums[outcome] += layer.size
  }
  return { bytesUploaded: sums.uploaded, bytesMounted: sums.mounted, bytesExisting: sums.existing }
}

/** The sums of a push that found everything there. */
export const bytesOfUnchanged = (manifest: ImageManifest): TransferredBytes => {
  const blobs = new Map(manifest.layers.map((layer) => [String(layer.digest), layer.size]))
  const existing = Array.from(blobs.values()).reduce((sum, size) => sum + size, 0)
  return { bytesUploaded: 0, bytesMounted: 0, bytesExisting: existing }
}
