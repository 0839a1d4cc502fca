import type { Report, Result } from "../Report.ts"

/** `--output text`: `repository@digest` of each image that is in its registry, or what a dry run foresees. */
export const text = (report: Report): string =>
  report.results
    .flatMap(report.dryRun === true ? foreseen : pushed)
    .map((line) => `${line}\n`)
    .join("")

const pushed = ({ repoDigest }: Result): ReadonlyArray<string> => (repoDigest === undefined ? [] : [repoDigest])

const foreseen = ({ status, target }: Result): ReadonlyArray<string> => [`${status} ${target}`]
