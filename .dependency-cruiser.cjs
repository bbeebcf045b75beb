const nest = ['@nestjs', 'rxjs', 'reflect-metadata'];

/**
 * Who may import whom. A folder of src/ sees itself, what `own` names of src/, and what `packages` names of third parties;
 * Nest besides only in the files that `nestIn` describes.
 */
const walls = [
  { folder: 'events', own: [], packages: [] },
  {
    folder: 'commands',
    own: ['events/', 'event-store/event-store.ts'],
    packages: ['class-validator', 'class-transformer', 'class-validator-jsonschema', 'croner'],
    nestIn: '(\\.module|/dispatch)\\.ts$',
  },
  { folder: 'audit', own: ['events/', 'event-store/stored-log.ts', 'event-store/log-marks.ts'], packages: ['pg'] },
  { folder: 'webhooks', own: ['events/', 'commands/', 'database.ts', 'log.ts'], packages: ['pg'] },
  { folder: 'policies', own: ['events/', 'commands/', 'projections/projection.ts'], packages: [] },
  {
    folder: 'event-store',
    own: ['events/', 'database.ts', 'log.ts', 'pause.ts'],
    packages: ['pg', '@eventstore/db-client'],
    nestIn: '\\.module\\.ts$',
  },
  {
    folder: 'projections',
    own: ['events/', 'event-store/event-store.ts', 'commands/', 'policies/policy.ts', 'database.ts', 'log.ts', 'pause.ts'],
    packages: ['kysely', 'pg'],
    nestIn: '\\.module\\.ts$',
  },
  {
    folder: 'workers',
    own: [
      'events/',
      'event-store/event-store.ts',
      'event-store/gatherer.ts',
      'commands/',
      'projections/',
      'policies/',
      'audit/',
      'database.ts',
      'log.ts',
      'pause.ts',
    ],
    packages: [...nest, 'pg'],
  },
];

const doors = '^src/(http|cli|mcp)/';
const roots = '^src/(main|app\\.module)\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'doors-are-leaves',
      comment: 'Nothing knows of a door but the module that puts the process together.',
      severity: 'error',
      from: { path: '^src/', pathNot: [doors, roots] },
      to: { path: doors },
    },
    {
      name: 'doors-send-and-query',
      comment: 'A door sends commands and asks read models; SQL and event-store engines are behind those.',
      severity: 'error',
      from: { path: doors },
      to: { path: ['node_modules/(@types/)?(pg|kysely)/', '^src/event-store/(memory|postgres|eventstoredb)'] },
    },
    {
      name: 'doors-are-apart',
      severity: 'error',
      from: { path: '^src/(http|cli|mcp)/' },
      to: { path: doors, pathNot: '^src/$1/' },
    },
    {
      name: 'facts-touch-nothing',
      comment:
        'No files, clocks, processes or sockets where things are decided; crypto is for ids made from names, util for comparing.',
      severity: 'error',
      from: { path: '^src/(events|commands|policies)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|util)$' },
    },
    {
      name: 'cron-in-schedules',
      comment: 'What a cron expression means is decided in one place, zones and daylight saving with it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/commands/schedule/' },
      to: { path: installed('croner') },
    },
    ...walls.flatMap(wall),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

function wall({ folder, own, packages, nestIn }) {
  const inside = { path: `^src/${folder}/` };
  const strict = { ...inside, ...(nestIn && { pathNot: nestIn }) };
  const thirdParty = (names) => ({ path: 'node_modules/', ...(names.length > 0 && { pathNot: names.map(installed) }) });
  return [
    {
      name: `${folder}-own`,
      severity: 'error',
      from: inside,
      to: { path: '^src/', pathNot: [folder + '/', ...own].map((to) => `^src/${to}`) },
    },
    { name: `${folder}-third-parties`, severity: 'error', from: strict, to: thirdParty(packages) },
    ...(nestIn
      ? [
          {
            name: `${folder}-nest`,
            severity: 'error',
            from: { path: `^src/${folder}/.*${nestIn}` },
            to: thirdParty([...packages, ...nest]),
          },
        ]
      : []),
  ];
}

function installed(name) {
  return `node_modules/(@types/)?${name}/`;
}
