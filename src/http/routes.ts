import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { Documented, type Documentation } from './documented.js';

export interface Route extends Documentation {
  readonly name: string;
  readonly tag: string;
  /** `get` */
  readonly method: string;
  /** `/v1/companies/{company}/runs` */
  readonly path: string;
  readonly parts: readonly string[];
}

/** Every handler must be documented: a missing one is a fault of this code. */
export function routesOf(controller: Type<object>): Route[] {
  const base = pathOf(controller);
  return Object.entries(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(([name, { value: handler }]) => {
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const documentation = Reflect.getMetadata(Documented.KEY, handler) as Documentation | undefined;
    if (!documentation) throw new Error(`${controller.name}.${name} is not documented: give it @Documented`);
    const path = `/${[base, pathOf(handler)].filter(Boolean).join('/')}`.replaceAll(/:(\w+)/g, '{$1}');
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod].toLowerCase();
    const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => part!);
    return [{ ...documentation, name, tag: controller.name.replace('Controller', ''), method, path, parts }];
  });
}

function pathOf(target: object): string {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string;
  return path === '/' ? '' : path;
}
