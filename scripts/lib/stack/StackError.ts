/**
 * What can go wrong around the loopback stack itself: a daemon that does not come up, a tool that is missing.
 */
import * as Data from "effect/Data"

/** A daemon of the stack, or a request to one, did not do what was asked. */
export class StackError extends Data.TaggedError("StackError")<{ readonly message: string }> {}

export interface MissingTool {
  readonly command: string
  readonly debianPackage: string
}

/** Tools that the stack runs are not installed, or may not be run by this user. */
export class PrerequisitesMissing extends Data.TaggedError("PrerequisitesMissing")<{
  readonly tools: ReadonlyArray<MissingTool>
  readonly needsRoot: boolean
}> {
  override get message(): string {
    const parts: Array<string> = []
    if (this.tools.length > 0) {
      const packages = [...new Set(this.tools.map((tool) => tool.debianPackage))].join(" ")
      parts.push(
        `missing: ${this.tools.map((tool) => tool.command).join(", ")}; install with: apt-get install ${packages}`
      )
    }
    if (this.needsRoot) {
      parts.push("dockerd has to be started by root: run as root")
    }
    return `The loopback stack can not run here. ${parts.join(". ")}`
  }
}
