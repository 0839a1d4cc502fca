export * as TestConnector from "./TestConnector.ts"
export * as TestEngine from "./TestEngine.ts"
export * as TestRegistry from "./TestRegistry.ts"
export * as TestTransport from "./TestTransport.ts"
