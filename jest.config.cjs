const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const swcTypeScript = require('./.swcrc.test.json');

const swcJavaScript = {
  swcrc: false,
  module: { type: 'commonjs' },
  jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } },
};

// Jest loads CommonJS twice as fast as ES modules, so everything is turned into it, packages included.
module.exports = {
  testEnvironment: '<rootDir>/test/environment.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  maxWorkers: 2,
  testTimeout: 30_000,
  setupFiles: ['reflect-metadata'],
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['@swc/jest', swcTypeScript],
    '^.+\\.m?js$': ['@swc/jest', swcJavaScript],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${installedEsModules().join('|')})/)`],
};

/** Names of the installed packages that are ES modules; read from disk, so that a new dependency needs no edit here. */
function installedEsModules() {
  const root = join(__dirname, 'node_modules');
  return readdirSync(root)
    .flatMap((entry) => (entry.startsWith('@') ? readdirSync(join(root, entry)).map((name) => `${entry}/${name}`) : [entry]))
    .filter((name) => isEsModule(join(root, name, 'package.json')));
}

function isEsModule(manifest) {
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
}
