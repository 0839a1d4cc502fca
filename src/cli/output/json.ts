import { type Report, toJson } from "../Report.ts"

/** `--output json`: one document, the report. */
export const json = (report: Report): string => toJson(report)
