/* names.c - see names.h. The table is scanned: a user has tens of endpoints, not thousands; pages that are not used cost nothing. */
#include "names.h"
#include "../sys.h"

static struct endpoint table[NAMES_ENDPOINTS];
static unsigned used; /* places from here on were never used */

static int same_container(const struct hub_endpoint *a, const struct hub_endpoint *b)
{
	return memcmp(a->container, b->container, sizeof(a->container)) == 0;
}

/* Is it a name in lower case, of labels of 1 to 63 characters? */
static int name_ok(const uint8_t *name, size_t length)
{
	size_t label = 0;

	for (size_t i = 0; i < length; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			return 0;
		if (name[i] != '.')
			label++;
		else if (!label)
			return 0;
		else
			label = 0;
		if (label > 63)
			return 0;
	}
	return label > 0 && length <= 253;
}

/* Is LENGTH exactly filled by good names? */
static int names_ok(const uint8_t *names, size_t length)
{
	for (size_t at = 0; at < length; at += names[at] + 1u)
		if (names[at] > length - at - 1 || !name_ok(names + at + 1, names[at]))
			return 0;
	return 1;
}

int names_join(const struct hub_endpoint *is, const uint8_t *names, size_t length, uint32_t life)
{
	struct endpoint *place = 0;

	if (length > HUB_NAMES_MAX || length != is->names_length || is->server_count > 3 || !names_ok(names, length))
		return -EINVAL;
	names_leave(is);
	for (unsigned i = 0; i < used && !place; i++)
		if (!table[i].life)
			place = &table[i];
	if (!place && used == NAMES_ENDPOINTS)
		return -ENOSPC;
	if (!place)
		place = &table[used++];
	place->is = *is;
	memcpy(place->names, names, length);
	place->life = life;
	return 0;
}

void names_leave(const struct hub_endpoint *is)
{
	for (unsigned i = 0; i < used; i++)
		if (table[i].life && table[i].is.network == is->network && same_container(&table[i].is, is))
			table[i].life = 0;
}

void names_end(uint32_t life)
{
	for (unsigned i = 0; i < used; i++)
		if (table[i].life == life)
			table[i].life = 0;
	while (used && !table[used - 1].life)
		used--;
}

static int is_at(const struct endpoint *e, const struct address *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (memcmp(address->bytes, mapped, 12) == 0)
		return (e->is.flags & HUB_HAS_IPV4) && memcmp(address->bytes + 12, e->is.ipv4, 4) == 0;
	return (e->is.flags & HUB_HAS_IPV6) && memcmp(address->bytes, e->is.ipv6, 16) == 0;
}

const struct endpoint *names_at(const struct address *address)
{
	for (unsigned i = 0; i < used; i++)
		if (table[i].life && is_at(&table[i], address))
			return &table[i];
	return 0;
}

int names_share(const struct endpoint *asker, const struct endpoint *other)
{
	for (unsigned i = 0; i < used; i++)
		if (table[i].life && table[i].is.network == other->is.network && same_container(&table[i].is, &asker->is))
			return 1;
	return 0;
}

static int is_called(const struct endpoint *e, const char *name, size_t length)
{
	for (size_t at = 0; at < e->is.names_length; at += e->names[at] + 1u)
		if (e->names[at] == length && memcmp(e->names + at + 1, name, length) == 0)
			return 1;
	return 0;
}

const struct endpoint *names_next(const struct endpoint *asker, const char *name, size_t length, const struct endpoint *after)
{
	for (unsigned i = after ? (unsigned)(after - table) + 1 : 0; i < used; i++)
		if (table[i].life && is_called(&table[i], name, length) && names_share(asker, &table[i]))
			return &table[i];
	return 0;
}
