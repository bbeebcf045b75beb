import { abbreviatedZone } from '../clock-time.js';
import { nearest } from '../nearest.js';

/** An IANA name or an alias of one, in any case of letters. */
export function isZone(name: string): boolean {
  if (!/^[a-z]/i.test(name) || notOfIana.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Some releases of ICU take these too, BST for that of Bangladesh. */
const notOfIana = new RegExp(
  '^(?:ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST|SystemV/.*)$',
  'i',
);

/** Those that `name` may have been meant for, three at most: by the whole name, or else by the city. */
export function zonesLike(name: string): string[] {
  const meant = name.trim().slice(0, longest);
  const place = abbreviatedZone(meant);
  if (place) return [place];
  const whole = spelledLike(meant, (zone) => zone);
  return (whole.length > 0 ? whole : spelledLike(cityOf(meant), cityOf)).slice(0, 3);
}

const longest = 64;

function spelledLike(meant: string, part: (zone: string) => string): string[] {
  const spelled = new Map(zoneNames().map((zone) => [comparable(part(zone)), zone]));
  return nearest(comparable(meant), [...spelled.keys()]).map((spelling) => spelled.get(spelling)!);
}

const cityOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1);
const comparable = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]+/g, '_');

/** ICU lists places under the names that they had first; these they have now. */
const renamed = [
  'UTC',
  'Africa/Asmara',
  'America/Argentina/Buenos_Aires',
  'America/Indiana/Indianapolis',
  'America/Kentucky/Louisville',
  'America/Nuuk',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Yangon',
  'Atlantic/Faroe',
  'Europe/Kyiv',
  'Pacific/Chuuk',
  'Pacific/Kanton',
  'Pacific/Pohnpei',
];

const zoneNames = (): string[] => [...new Set([...renamed, ...Intl.supportedValuesOf('timeZone')])];
