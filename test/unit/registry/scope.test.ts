import { expect, test } from 'vitest';
import { mergeScopes } from '../../../src/registry/scope.ts';

test.each([
  [['repository:a/b:pull'], ['repository:a/b:pull']],
  // docker-registry 2.8 says both in an order of its own, another one each time
  [
    ['repository:b:pull,push repository:a:pull', 'repository:a:pull repository:b:push,pull'],
    ['repository:b:pull,push', 'repository:a:pull'],
  ],
  [['repository:a:pull', 'repository:a:push'], ['repository:a:pull,push']],
  [['repository:localhost:5000/a:push,pull', ''], ['repository:localhost:5000/a:pull,push']],
  [
    ['registry:catalog:*', 'odd'],
    ['registry:catalog:*', 'odd'],
  ],
  [['', ' '], []],
])('%j → %j', (lists, merged) => expect(mergeScopes(lists)).toEqual(merged));
