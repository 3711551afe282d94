/** After it has run, build/ holds no output of a source that is gone: no stale test runs, nothing stale is packed. */
import {existsSync, readdirSync, rmSync} from 'node:fs';

for (const path of readdirSync('build', {recursive: true, encoding: 'utf8'})) {
  if (!path.endsWith('.js.map')) continue; // tsc writes one for every file; tests that write into build/ do not
  const name = path.slice(0, -'.js.map'.length);
  if (existsSync(`${name}.ts`)) continue;
  for (const suffix of ['.js', '.js.map', '.d.ts']) rmSync(`build/${name}${suffix}`, {force: true});
}
