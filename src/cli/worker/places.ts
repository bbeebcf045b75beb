import { join } from 'node:path';
import type { WorkerSettings } from './settings.js';

type Home = Pick<WorkerSettings, 'home' | 'company'>;

/** Where in its state folder a worker keeps what. */
export const foldersOf = ({ home }: Home): string => join(home, 'runs');
export const folderOf = (settings: Home, run: string): string => join(foldersOf(settings), `${settings.company}~${run}`);
export const logOf = ({ home, company }: Home, run: string): string => join(home, 'logs', company, `${run}.log`);
