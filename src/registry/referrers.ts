/** What refers to an image (distribution-spec, "Listing Referrers"): signatures, among others. Many registries do not know the question. */
import { parseDocument } from '../spec/document.ts';
import type { Descriptor, Digest } from '../spec/image.ts';
import { OCI_INDEX } from '../spec/media-types.ts';
import type { RegistryClient } from './client.ts';
import { pullScope } from './scope.ts';
import { DOCUMENT_LIMIT_BYTES, readBody } from './transport.ts';

/** Manifests of `artifactType` that refer to `digest`; none where the registry does not say. Throws ERR_TSRUN_REGISTRY_UNREACHABLE, ERR_TSRUN_DOCUMENT. */
export async function listReferrers(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  artifactType: string,
): Promise<Descriptor[]> {
  const query = new URLSearchParams({ artifactType });
  const url = await client.url(`/v2/${repository}/referrers/${digest}?${query}`);
  return await client.retrying(async () => {
    const response = await client.send({ url }, repository, [pullScope(repository)]);
    if (response.status !== 200) {
      await response.body.dump();
      return [];
    }
    const body = await readBody(response, DOCUMENT_LIMIT_BYTES, client.patience.documentMs);
    const document = parseDocument(body?.toString('utf8') ?? '', OCI_INDEX, `the referrers of ${digest}`);
    const found = document.kind === 'index' ? document.index.manifests : [];
    // A registry need not filter.
    return found.filter((each) => each.artifactType === artifactType);
  });
}
