export * as TestEngine from "./TestEngine.ts"
export * as TestTransport from "./TestTransport.ts"
