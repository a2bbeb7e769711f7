/*
 * Intrusive doubly linked list: a ring through a head node. A node that is
 * in no list points at itself, so removing it again does nothing.
 */
#pragma once

#include <selvage/base.h>

struct list_node {
	struct list_node *prev, *next;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

/* Makes an empty list head, or a node that is in no list. */
static inline void list_init(struct list_node *n)
{
	n->prev = n;
	n->next = n;
}

/* Of a head: no nodes. Of a node: in no list. */
static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

/* `node` must be in no list. */
static inline void list_insert_after(struct list_node *where,
				     struct list_node *node)
{
	node->prev = where;
	node->next = where->next;
	where->next->prev = node;
	where->next = node;
}
static inline void list_insert_before(struct list_node *where,
				      struct list_node *node)
{
	list_insert_after(where->prev, node);
}
static inline void list_push_front(struct list_node *head,
				   struct list_node *node)
{
	list_insert_after(head, node);
}
static inline void list_push_back(struct list_node *head,
				  struct list_node *node)
{
	list_insert_before(head, node);
}

static inline void list_remove(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* NULL if the list is empty. */
static inline struct list_node *list_first(const struct list_node *head)
{
	return list_empty(head) ? NULL : head->next;
}
static inline struct list_node *list_last(const struct list_node *head)
{
	return list_empty(head) ? NULL : head->prev;
}
static inline struct list_node *list_pop_front(struct list_node *head)
{
	struct list_node *n = list_first(head);

	if (n)
		list_remove(n);
	return n;
}

#define LIST_FOR_EACH(n, head) \
	for ((n) = (head)->next; (n) != (head); (n) = (n)->next)
/* The body may remove `n`; `following` is a second variable. */
#define LIST_FOR_EACH_SAFE(n, following, head)                           \
	for ((n) = (head)->next, (following) = (n)->next; (n) != (head); \
	     (n) = (following), (following) = (n)->next)
