#!/usr/bin/env node
import { runCommand } from './program.js';

// Whoever reads along may go before the end, as head does.
process.stdout.on('error', () => {});

process.exitCode = await runCommand(process.argv.slice(2));
