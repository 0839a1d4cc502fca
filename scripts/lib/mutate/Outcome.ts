/** What became of one run of tests. It crosses from the process that runs them, so it is plain data. */
export type Outcome =
  /** Everything passed; `slowest` is the longest test in milliseconds. */
  | { readonly _tag: "Green"; readonly slowest: number }
  /** A test failed, or ran out of time. */
  | { readonly _tag: "Red"; readonly test: string; readonly how: "failed" | "timed out" }
  /** No test had its say: the file did not load, or there is no test of that name. */
  | { readonly _tag: "Broken"; readonly message: string }

/** What the process is asked to run. */
export interface TestRun {
  readonly file: string
  readonly names: ReadonlyArray<string>
  /** Files whose content is not what it was. */
  readonly changed: ReadonlyArray<string>
  /** Milliseconds a test may take, where its project does not say less. */
  readonly testTimeout: number
}
