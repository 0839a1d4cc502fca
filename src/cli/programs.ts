/**
 * Everything that gantry installs, in one bundle: scripts/lib/build.ts.
 */
export const programs = {
  gantry: (): Promise<unknown> => import("./main.ts"),
  "docker-credential-gantry": (): Promise<unknown> => import("./credentialHelper.ts")
}

export type Name = keyof typeof programs
