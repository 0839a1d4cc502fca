#!/usr/bin/env node
import { start } from "../internal/start.ts"

start("docker-credential-gantry")
