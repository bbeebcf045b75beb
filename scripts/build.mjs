// A build as npm test runs it, beside its other checks: in a process of its own.
import { buildIfStale } from './fresh.mjs';

buildIfStale();
