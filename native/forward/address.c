/* address.c - see address.h */
#include "address.h"

static uint16_t swapped(uint16_t n)
{
	return __builtin_bswap16(n); /* both architectures are little-endian, the network is not */
}

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int address_from(struct address *to, const union socket_address *from)
{
	memset(to, 0, sizeof(*to));
	if (from->family == AF_INET) {
		to->port = swapped(from->v4.sin_port);
		memcpy(to->ip, &from->v4.sin_addr, 4);
		return 0;
	}
	if (from->family != AF_INET6)
		return -EAFNOSUPPORT;
	to->port = swapped(from->v6.sin6_port);
	if (!memcmp(&from->v6.sin6_addr, mapped_prefix, 12)) {
		memcpy(to->ip, (const uint8_t *)&from->v6.sin6_addr + 12, 4);
		return 0;
	}
	to->is6 = 1;
	memcpy(to->ip, &from->v6.sin6_addr, 16);
	return 0;
}

uint32_t address_to(union socket_address *to, const struct address *from)
{
	memset(to, 0, sizeof(*to));
	if (from->is6) {
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = swapped(from->port);
		memcpy(&to->v6.sin6_addr, from->ip, 16);
		return sizeof(to->v6);
	}
	to->v4.sin_family = AF_INET;
	to->v4.sin_port = swapped(from->port);
	memcpy(&to->v4.sin_addr, from->ip, 4);
	return sizeof(to->v4);
}

uint32_t address_to_v6(union socket_address *to, const struct address *from)
{
	if (from->is6)
		return address_to(to, from);
	memset(to, 0, sizeof(*to));
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = swapped(from->port);
	memcpy(&to->v6.sin6_addr, mapped_prefix, 12);
	memcpy((uint8_t *)&to->v6.sin6_addr + 12, from->ip, 4);
	return sizeof(to->v6);
}

int address_equal(const struct address *a, const struct address *b)
{
	return a->is6 == b->is6 && a->port == b->port && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

uint32_t address_hash(uint32_t hash, const struct address *a)
{
	const uint32_t prime = 16777619u; /* FNV-1a's */

	for (uint32_t i = 0; i < address_ip_length(a); i++)
		hash = (hash ^ a->ip[i]) * prime;
	hash = (hash ^ (a->port & 0xff)) * prime;
	return (hash ^ a->port >> 8) * prime;
}

/* Are the first BITS of A and B the same? */
static int same_network(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes))
		return 0;
	return !rest || !((a[bytes] ^ b[bytes]) >> (8 - rest));
}

int address_is_loopback(const struct address *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return a->is6 ? !memcmp(a->ip, one, 16) : a->ip[0] == 127;
}

static int is_link_local(const struct address *a)
{
	return a->is6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

static int is_unspecified(const struct address *a)
{
	static const uint8_t zero[16];

	return a->is6 ? !memcmp(a->ip, zero, 16) : a->ip[0] == 0;
}

int address_is_outside(const struct address *target)
{
	if (target->is6) /* what begins with eight zero bits is unspecified, loopback, or IPv4 in disguise */
		return target->ip[0] != 0 && target->ip[0] != 0xff && !is_link_local(target) && target->port != 0;
	return target->ip[0] != 0 && target->ip[0] != 127 && target->ip[0] < 224 && target->port != 0;
}

static int can_be_kept(const struct forward_family *family, const struct address *client)
{
	return !address_is_loopback(client) && !is_link_local(client) && !is_unspecified(client) &&
	       !same_network(client->ip, family->container, family->prefix);
}

int address_way(struct way *to, const struct forward_config *config, const struct address *client, uint16_t port, int other)
{
	const struct forward_family *own = &config->families[client->is6], *foreign = &config->families[!client->is6];
	const struct forward_family *family = own->present && !other ? own : foreign;

	if (!family->present || (other && !own->present))
		return -ENOENT;
	memset(to, 0, sizeof(*to));
	to->container.is6 = family == &config->families[1];
	to->container.port = port;
	memcpy(to->container.ip, family->container, address_ip_length(&to->container));
	if (family == own && can_be_kept(own, client)) {
		to->source = *client;
		return 0;
	}
	to->source.is6 = to->container.is6;
	to->source.port = client->port;
	memcpy(to->source.ip, family->gateway, address_ip_length(&to->source));
	return 0;
}
